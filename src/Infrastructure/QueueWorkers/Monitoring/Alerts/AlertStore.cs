using System.Data;
using Npgsql;
using NpgsqlTypes;
using QueueWorkers.Data;

namespace QueueWorkers.Monitoring.Alerts;

/// <summary>Something that is so right now and that a rule watches.</summary>
/// <param name="Rule">The rule.</param>
/// <param name="Subject">For which queue or step; empty for the whole system.</param>
/// <param name="Says">What is the matter, in a sentence.</param>
/// <param name="Link">The dashboard's page that explains it.</param>
public sealed record AlertCondition(string Rule, string Subject, string Says, string Link);

/// <summary>
/// Keeps the alerts. An alert opens when its condition is seen, fires when it has held for the rule's time, and is
/// resolved when it is no longer seen. Everything is in the database:
/// a restart neither forgets an alert nor begins its hold time again, and of several dashboards one writes at a time.
/// </summary>
public sealed class AlertStore(NpgsqlDataSource database)
{
    // Any number that nobody else uses: whoever holds it writes, the others leave it to him.
    private const long WriterLock = 0x4f72646572730a01;

    private const string Columns =
        "id, rule, subject, says, link, since, fired_at, resolved_at, sent_at, resolution_sent_at, send_error, acknowledged_by, acknowledged_at";

    private const string Open = """
        insert into alerts (rule, subject, says, link) select *
            from unnest($1::text[], $2::text[], $3::text[], $4::text[])
        on conflict (rule, subject) where resolved_at is null do update set says = excluded.says, link = excluded.link
            where alerts.says <> excluded.says
        """;

    private const string Fire =
        "update alerts a set fired_at = now() from alert_rules r where r.name = a.rule and a.fired_at is null and a.resolved_at is null and a.since <= now() - r.hold";

    // What never fired leaves no trace; what fired is kept, for the list and for telling that it is over.
    private const string Close = """
        with gone as (
            select id, fired_at from alerts a where resolved_at is null
                and not exists (select from unnest($1::text[], $2::text[]) as t(rule, subject)
                    where t.rule = a.rule and t.subject = a.subject)),
        dropped as (delete from alerts where id in (select id from gone where fired_at is null))
        update alerts set resolved_at = now() where id in (select id from gone where fired_at is not null)
        """;

    private const string ToSend = $"""
        select {Columns} from alerts a where fired_at > now() - interval '1 day' and (
            (sent_at is null and resolved_at is null and acknowledged_at is null
                and not exists (select from alert_rules r where r.name = a.rule and r.silenced_until > now()))
            or (sent_at is not null and resolved_at is not null and resolution_sent_at is null))
        order by fired_at limit 50
        """;

    /// <summary>The rules.</summary>
    /// <exception cref="NpgsqlException">The database cannot be read.</exception>
    public async Task<IReadOnlyList<AlertRule>> RulesAsync(CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(
            "select name, kind, threshold, hold, enabled, silenced_until from alert_rules order by name"
        );
        var rules = new List<AlertRule>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            rules.Add(
                new AlertRule
                {
                    Name = reader.GetString("name"),
                    Kind = (AlertKind)reader.GetInt16("kind"),
                    Threshold = reader.GetDouble("threshold"),
                    Hold = reader.GetFieldValue<TimeSpan>("hold"),
                    Enabled = reader.GetBoolean("enabled"),
                    SilencedUntil = reader.Optional<DateTimeOffset>("silenced_until"),
                }
            );
        }

        return rules;
    }

    /// <summary>Writes down what is so now.</summary>
    /// <param name="conditions">All of it; an open alert that is not among them is over.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <returns>False when another process is writing.</returns>
    /// <exception cref="NpgsqlException">The database cannot be asked.</exception>
    public async Task<bool> WriteAsync(
        IReadOnlyCollection<AlertCondition> conditions,
        CancellationToken cancellationToken
    )
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using (var leader = new NpgsqlCommand($"select pg_try_advisory_xact_lock({WriterLock})", connection))
        {
            if (await leader.ExecuteScalarAsync(cancellationToken) is not true)
                return false;
        }

        string[] rules = [.. conditions.Select(c => c.Rule)],
            subjects = [.. conditions.Select(c => c.Subject)];
        await using (var batch = new NpgsqlBatch(connection))
        {
            batch.BatchCommands.Add(
                new(Open)
                {
                    Parameters =
                    {
                        new() { Value = rules },
                        new() { Value = subjects },
                        new() { Value = conditions.Select(c => c.Says).ToArray() },
                        new() { Value = conditions.Select(c => c.Link).ToArray() },
                    },
                }
            );
            batch.BatchCommands.Add(new(Fire));
            batch.BatchCommands.Add(
                new(Close)
                {
                    Parameters =
                    {
                        new() { Value = rules },
                        new() { Value = subjects },
                    },
                }
            );
            await batch.ExecuteNonQueryAsync(cancellationToken);
        }

        await transaction.CommitAsync(cancellationToken);
        return true;
    }

    /// <summary>Alerts that receivers do not know of yet, or whose end they do not know of.</summary>
    /// <exception cref="NpgsqlException">The database cannot be read.</exception>
    public Task<IReadOnlyList<Alert>> ToSendAsync(CancellationToken cancellationToken) =>
        ReadAsync(ToSend, [], cancellationToken);

    /// <summary>
    /// Writes down what came of sending one. Dying before this line sends it again: a receiver knows it by its id.
    /// </summary>
    /// <exception cref="NpgsqlException">The database cannot be asked.</exception>
    public Task SentAsync(Alert alert, string? error, CancellationToken cancellationToken) =>
        ExecuteAsync(
            error is not null ? "update alerts set send_error = $2 where id = $1"
                : alert.ResolvedAt is null
                    ? "update alerts set sent_at = now(), send_error = null where id = $1 and $2::text is null"
                : "update alerts set resolution_sent_at = now(), send_error = null where id = $1 and $2::text is null",
            [
                new() { Value = alert.Id },
                new() { Value = (object?)error ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text },
            ],
            cancellationToken
        );

    /// <summary>Alerts that have fired: the open ones first, then the newest.</summary>
    /// <exception cref="NpgsqlException">The database cannot be read.</exception>
    public Task<IReadOnlyList<Alert>> FiredAsync(int limit, CancellationToken cancellationToken) =>
        ReadAsync(
            $"select {Columns} from alerts where fired_at is not null order by (resolved_at is null) desc, fired_at desc limit $1",
            [new() { Value = limit }],
            cancellationToken
        );

    /// <summary>Somebody looks after an alert: it is not sent again.</summary>
    /// <returns>False when it is over, or somebody else does already.</returns>
    /// <exception cref="NpgsqlException">The database cannot be asked.</exception>
    public async Task<bool> AcknowledgeAsync(Guid id, string who, CancellationToken cancellationToken) =>
        await ExecuteAsync(
            "update alerts set acknowledged_by = $2, acknowledged_at = now() where id = $1 and resolved_at is null and acknowledged_at is null",
            [new() { Value = id }, new() { Value = who }],
            cancellationToken
        ) == 1;

    /// <summary>Shows a rule's alerts without sending them, for a while; no time ends the silence.</summary>
    /// <returns>False when there is no such rule.</returns>
    /// <exception cref="NpgsqlException">The database cannot be asked.</exception>
    public async Task<bool> SilenceAsync(string rule, TimeSpan? time, CancellationToken cancellationToken) =>
        await ExecuteAsync(
            "update alert_rules set silenced_until = now() + $2 where name = $1",
            [
                new() { Value = rule },
                new() { Value = (object?)time ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Interval },
            ],
            cancellationToken
        ) == 1;

    /// <summary>Changes a rule.</summary>
    /// <returns>False when there is no such rule.</returns>
    /// <exception cref="NpgsqlException">The database cannot be asked.</exception>
    public async Task<bool> ChangeAsync(
        string rule,
        double threshold,
        TimeSpan hold,
        bool enabled,
        CancellationToken cancellationToken
    ) =>
        await ExecuteAsync(
            "update alert_rules set threshold = $2, hold = $3, enabled = $4 where name = $1",
            [new() { Value = rule }, new() { Value = threshold }, new() { Value = hold }, new() { Value = enabled }],
            cancellationToken
        ) == 1;

    private async Task<IReadOnlyList<Alert>> ReadAsync(
        string sql,
        NpgsqlParameter[] parameters,
        CancellationToken cancellationToken
    )
    {
        await using var command = database.CreateCommand(sql);
        command.Parameters.AddRange(parameters);
        var alerts = new List<Alert>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            alerts.Add(
                new Alert
                {
                    Id = reader.GetGuid("id"),
                    Rule = reader.GetString("rule"),
                    Subject = reader.GetString("subject"),
                    Says = reader.GetString("says"),
                    Link = reader.GetString("link"),
                    Since = reader.GetFieldValue<DateTimeOffset>("since"),
                    FiredAt = reader.Optional<DateTimeOffset>("fired_at"),
                    ResolvedAt = reader.Optional<DateTimeOffset>("resolved_at"),
                    SentAt = reader.Optional<DateTimeOffset>("sent_at"),
                    ResolutionSentAt = reader.Optional<DateTimeOffset>("resolution_sent_at"),
                    SendError = reader.OptionalText("send_error"),
                    AcknowledgedBy = reader.OptionalText("acknowledged_by"),
                    AcknowledgedAt = reader.Optional<DateTimeOffset>("acknowledged_at"),
                }
            );
        }

        return alerts;
    }

    private async Task<int> ExecuteAsync(string sql, NpgsqlParameter[] parameters, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(sql);
        command.Parameters.AddRange(parameters);
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
