using System.Data;
using Npgsql;
using NpgsqlTypes;
using QueueWorkers.Data;
using QueueWorkers.Operators;

namespace QueueWorkers.Completeness;

/// <summary>What an operator does with the findings of the completeness check. Works from any process.</summary>
public sealed class CompletenessControl(NpgsqlDataSource database)
{
    private const int MostRows = 500;

    private const string List = """
        select subject_id, effect, kind, detail, silent, found_at, seen_at, closed_at, reemit_asked_at, reemitted_at,
            reemit_result
        from completeness_gaps where ($1 or closed_at is null)
            and ($2::timestamptz is null or (found_at, subject_id) < ($2, $3))
        order by found_at desc, subject_id desc limit $4
        """;

    private const string Summary = """
        select (select count(*) from completeness_gaps where closed_at is null) as open,
               (select coalesce(sum(checked), 0)::bigint from completeness_marks) as checked,
               (select max(at) from completeness_marks) as at,
               (select count(*) from completeness_open) as to_look_at
        """;

    // Asking again is allowed once the first message is on its way: it may have been lost as the original was.
    private static readonly string Ask = $"""
        update completeness_gaps set reemit_asked_at = now(), reemit_asked_by = $3, reemitted_at = null,
            reemit_result = null
        where subject_id = $1 and effect = $2 and kind = {GapKind.Missing:D} and closed_at is null
            and (reemit_asked_at is null or reemitted_at is not null)
        """;

    private static readonly string Known =
        $"select exists (select from completeness_gaps where subject_id = $1 and effect = $2 and kind = {GapKind.Missing:D} and closed_at is null)";

    /// <summary>Gaps, the newest first.</summary>
    /// <param name="closedToo">Also those that were closed since.</param>
    /// <param name="before">When the last gap of the page before was found, and its subject; null for the first
    /// page.</param>
    /// <param name="limit">How many, 1–500.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    public async Task<IReadOnlyList<GapView>> ListAsync(
        bool closedToo,
        (DateTimeOffset FoundAt, Guid SubjectId)? before,
        int limit,
        CancellationToken cancellationToken
    )
    {
        await using var command = database.CreateCommand(List);
        command.Parameters.Add(new NpgsqlParameter<bool> { TypedValue = closedToo });
        command.Parameters.Add(
            new()
            {
                Value = before is { } last ? last.FoundAt.ToUniversalTime() : DBNull.Value,
                NpgsqlDbType = NpgsqlDbType.TimestampTz,
            }
        );
        command.Parameters.Add(
            new() { Value = before is { } one ? one.SubjectId : DBNull.Value, NpgsqlDbType = NpgsqlDbType.Uuid }
        );
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = Math.Clamp(limit, 1, MostRows) });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var gaps = new List<GapView>();
        while (await reader.ReadAsync(cancellationToken))
        {
            gaps.Add(
                new GapView(
                    reader.GetGuid("subject_id"),
                    reader.GetString("effect"),
                    (GapKind)reader.GetInt16("kind"),
                    reader.GetString("detail"),
                    reader.GetBoolean("silent"),
                    reader.GetFieldValue<DateTimeOffset>("found_at"),
                    reader.GetFieldValue<DateTimeOffset>("seen_at"),
                    reader.Optional<DateTimeOffset>("closed_at"),
                    reader.Optional<DateTimeOffset>("reemit_asked_at"),
                    reader.Optional<DateTimeOffset>("reemitted_at"),
                    reader.OptionalText("reemit_result")
                )
            );
        }

        return gaps;
    }

    /// <summary>How many gaps are open, and how far the check has come.</summary>
    public async Task<CompletenessSummary> SummaryAsync(CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Summary);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return new CompletenessSummary(
            reader.GetInt64("open"),
            reader.GetInt64("checked"),
            reader.Optional<DateTimeOffset>("at"),
            reader.GetInt64("to_look_at")
        );
    }

    /// <summary>
    /// Asks for the message of a missing effect once more. The next check emits it; what was already done is not done
    /// again. Committed together with the audit record.
    /// </summary>
    public async Task<ReemitAnswer> ReemitAsync(
        Guid subject,
        string effect,
        AuditEntry audit,
        CancellationToken cancellationToken
    )
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using (var ask = About(connection, Ask, subject, effect))
        {
            ask.Parameters.Add(new NpgsqlParameter<string> { TypedValue = audit.Who });
            if (await ask.ExecuteNonQueryAsync(cancellationToken) == 1)
            {
                await AuditLog.WriteAsync(connection, audit, cancellationToken);
                await transaction.CommitAsync(cancellationToken);
                return ReemitAnswer.Asked;
            }
        }

        await using var known = About(connection, Known, subject, effect);
        return await known.ExecuteScalarAsync(cancellationToken) is true
            ? ReemitAnswer.AlreadyAsked
            : ReemitAnswer.NoSuchGap;
    }

    private static NpgsqlCommand About(NpgsqlConnection connection, string sql, Guid subject, string effect) =>
        new(sql, connection)
        {
            Parameters =
            {
                new NpgsqlParameter<Guid> { TypedValue = subject },
                new NpgsqlParameter<string> { TypedValue = effect },
            },
        };
}

/// <summary>The answer to <see cref="CompletenessControl.ReemitAsync"/>.</summary>
public enum ReemitAnswer
{
    /// <summary>The next check emits the message.</summary>
    Asked,

    /// <summary>Somebody has asked before, and the message is not out yet.</summary>
    AlreadyAsked,

    /// <summary>No open gap of a missing effect is known for it.</summary>
    NoSuchGap,
}

/// <summary>A gap as an operator sees it.</summary>
/// <param name="SubjectId">What was accepted.</param>
/// <param name="Effect">The effect.</param>
/// <param name="Kind">What is wrong.</param>
/// <param name="Detail">In a sentence.</param>
/// <param name="Silent">Whether nothing is under way that could still close it.</param>
/// <param name="FoundAt">When it was found.</param>
/// <param name="SeenAt">When it was seen last.</param>
/// <param name="ClosedAt">When it was found closed.</param>
/// <param name="ReemitAskedAt">When somebody asked for its message.</param>
/// <param name="ReemittedAt">When the message was emitted again.</param>
/// <param name="ReemitResult">What came of it.</param>
public sealed record GapView(
    Guid SubjectId,
    string Effect,
    GapKind Kind,
    string Detail,
    bool Silent,
    DateTimeOffset FoundAt,
    DateTimeOffset SeenAt,
    DateTimeOffset? ClosedAt,
    DateTimeOffset? ReemitAskedAt,
    DateTimeOffset? ReemittedAt,
    string? ReemitResult
);

/// <summary>The state of the completeness check.</summary>
/// <param name="Open">Gaps that are open.</param>
/// <param name="Checked">Subjects looked at so far.</param>
/// <param name="At">When the check came by last; null when it never did.</param>
/// <param name="ToLookAt">Subjects that will be looked at again.</param>
public sealed record CompletenessSummary(long Open, long Checked, DateTimeOffset? At, long ToLookAt);
