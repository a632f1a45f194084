using System.Data;
using Npgsql;
using NpgsqlTypes;
using QueueWorkers.Data;
using QueueWorkers.Hosting;
using QueueWorkers.Messaging;
using QueueWorkers.Operators;
using QueueWorkers.Outbox;
using QueueWorkers.Steps;

namespace QueueWorkers.FlowControl;

/// <summary>
/// What an operator can do to a step while it runs: pause and resume it, and change how much of it runs at a time and
/// how often. Each takes effect in every replica within two seconds, and stays until it is changed, whatever restarts.
/// Each is committed together with its audit record, or not at all; who may do it is the caller's to know.
/// </summary>
/// <param name="database">The database.</param>
/// <param name="contracts">The messages of this version, to tell whether a step's carry the key of a limit; without
/// them any key is taken.</param>
public sealed class StepControls(NpgsqlDataSource database, IMessageContracts? contracts = null)
{
    private const string Upsert = """
        insert into step_controls (step, paused, replica_limit, total_limit, rates, changed_at, changed_by, reason)
        select step, {0}, now(), $2, $3 from step_catalogue where step = $1
        on conflict (step) do update set {1}, changed_at = now(), changed_by = excluded.changed_by,
            reason = excluded.reason
        """;

    private static readonly string Pause = Of("true, null, null, null", "paused = true");
    private static readonly string Resume = Of("false, null, null, null", "paused = false");
    private static readonly string SetLimits = Of(
        "false, $4, $5, null",
        "replica_limit = excluded.replica_limit, total_limit = excluded.total_limit"
    );
    private static readonly string SetRates = Of("false, null, null, $4", "rates = excluded.rates");

    private const string List = """
        select c.step, coalesce(s.paused, false) as paused, s.replica_limit, s.total_limit, s.rates,
            coalesce(s.changed_at, 'epoch') as changed_at, coalesce(s.changed_by, '') as changed_by,
            coalesce(s.reason, '') as reason, c.concurrency, c.max_concurrency, c.rates as default_rates
        from step_catalogue c left join step_controls s using (step) where c.active order by c.position
        """;

    /// <summary>No replica begins a run any more; what is running ends, and messages wait in the queue.</summary>
    /// <exception cref="UnknownStepException">There is no such step.</exception>
    public Task PauseAsync(string step, AuditEntry audit, CancellationToken cancellationToken = default) =>
        ChangeAsync(Pause, step, audit, [], cancellationToken);

    /// <summary>Runs begin again.</summary>
    /// <exception cref="UnknownStepException">There is no such step.</exception>
    public Task ResumeAsync(string step, AuditEntry audit, CancellationToken cancellationToken = default) =>
        ChangeAsync(Resume, step, audit, [], cancellationToken);

    /// <summary>Changes how many runs there may be at a time.</summary>
    /// <param name="step">The step.</param>
    /// <param name="perReplica">In one replica, up to its policy's <c>MaxConcurrency</c>; null for what its policy
    /// says.</param>
    /// <param name="total">Over all replicas; null for no such limit. Fewer than there are replicas leaves some
    /// idle.</param>
    /// <param name="audit">Who does it, and why.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="UnknownStepException">There is no such step.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A limit is below 1; to run none, pause the step.</exception>
    public Task SetConcurrencyAsync(
        string step,
        int? perReplica,
        int? total,
        AuditEntry audit,
        CancellationToken cancellationToken = default
    )
    {
        RequirePositive(perReplica, nameof(perReplica));
        RequirePositive(total, nameof(total));
        return ChangeAsync(SetLimits, step, audit, [Number(perReplica), Number(total)], cancellationToken);
    }

    /// <summary>Changes how often runs may begin, over all replicas.</summary>
    /// <param name="step">The step.</param>
    /// <param name="rates">As <see cref="RateLimit.ParseAll"/> reads them, in place of the policy's; empty for none,
    /// null for the policy's.</param>
    /// <param name="audit">Who does it, and why.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="UnknownStepException">There is no such step.</exception>
    /// <exception cref="FormatException">The text is no list of limits, or a limit is by a key that the step's messages
    /// do not carry: it would limit nothing.</exception>
    public async Task SetRatesAsync(
        string step,
        string? rates,
        AuditEntry audit,
        CancellationToken cancellationToken = default
    )
    {
        var limits = rates is null ? null : RateLimit.ParseAll(rates);
        if (limits is not null)
            await RequireCarriedAsync(
                step,
                [.. limits.Select(l => l.Key).OfType<string>().Distinct()],
                cancellationToken
            );
        var text = limits is null ? null : RateLimit.Format(limits);
        await ChangeAsync(
            SetRates,
            step,
            audit,
            [new NpgsqlParameter { Value = (object?)text ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text }],
            cancellationToken
        );
    }

    /// <summary>All steps with what has been set for them.</summary>
    public async Task<IReadOnlyList<StepControl>> ListAsync(CancellationToken cancellationToken = default)
    {
        await using var command = database.CreateCommand(List);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var steps = new List<StepControl>();
        while (await reader.ReadAsync(cancellationToken))
        {
            steps.Add(
                new StepControl
                {
                    Step = reader.GetString("step"),
                    Paused = reader.GetBoolean("paused"),
                    ReplicaLimit = reader.Optional<int>("replica_limit"),
                    TotalLimit = reader.Optional<int>("total_limit"),
                    Rates = reader.OptionalText("rates"),
                    ChangedAt = reader.GetFieldValue<DateTimeOffset>("changed_at"),
                    ChangedBy = reader.GetString("changed_by"),
                    Reason = reader.GetString("reason"),
                    DefaultReplicaLimit = reader.GetInt32("concurrency"),
                    MostReplicaLimit = reader.GetInt32("max_concurrency"),
                    DefaultRates = reader.GetString("default_rates"),
                }
            );
        }

        return steps;
    }

    private static string Of(string values, string update) =>
        Upsert.Replace("{0}", values, StringComparison.Ordinal).Replace("{1}", update, StringComparison.Ordinal);

    private static void RequirePositive(int? limit, string name)
    {
        if (limit < 1)
            throw new ArgumentOutOfRangeException(
                name,
                limit,
                "A limit must be at least 1; to run none, pause the step."
            );
    }

    private static NpgsqlParameter Number(int? value) =>
        new() { Value = (object?)value ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Integer };

    private async Task ChangeAsync(
        string sql,
        string step,
        AuditEntry audit,
        NpgsqlParameter[] more,
        CancellationToken cancellationToken
    )
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using var command = new NpgsqlCommand(sql, connection);
        command.Parameters.Add(new() { Value = step });
        command.Parameters.Add(new() { Value = audit.Who });
        command.Parameters.Add(new() { Value = audit.Reason ?? "" });
        foreach (var parameter in more)
            command.Parameters.Add(parameter);
        if (await command.ExecuteNonQueryAsync(cancellationToken) == 0)
            throw new UnknownStepException(step, await NamesAsync(connection, cancellationToken));
        await AuditLog.WriteAsync(connection, audit, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    // An unknown step is the change's own business to refuse; of a message that this version does not know, nobody here
    // knows the keys.
    private async Task RequireCarriedAsync(string step, string[] keys, CancellationToken cancellationToken)
    {
        if (contracts is null || keys.Length == 0)
            return;
        await using var command = database.CreateCommand(
            "select consumes from step_catalogue where step = $1 and active"
        );
        command.Parameters.Add(new() { Value = step });
        if (
            await command.ExecuteScalarAsync(cancellationToken) is not string[] consumed
            || Array.ConvertAll(consumed, contracts.Find) is not { } types
            || types.Contains(null)
        )
            return;
        string[] carried =
        [
            .. types.OfType<Type>().SelectMany(MessageKeys.DeclaredBy).Distinct().Order(StringComparer.Ordinal),
        ];
        if (keys.Except(carried).ToArray() is [var missing, ..])
        {
            throw new FormatException(
                $"Expected a key that the messages of step '{step}' carry ({(carried.Length == 0 ? "they carry none" : string.Join(", ", carried))}), found '{missing}'. A contract names its keys by [Keys(…)]."
            );
        }
    }

    private static async Task<IReadOnlyCollection<string>> NamesAsync(
        NpgsqlConnection connection,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(
            "select step from step_catalogue where active order by position",
            connection
        );
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var names = new List<string>();
        while (await reader.ReadAsync(cancellationToken))
            names.Add(reader.GetString("step"));
        return names;
    }
}

/// <summary>There is no step of that name.</summary>
public sealed class UnknownStepException(string step, IReadOnlyCollection<string> known)
    : Exception(
        $"There is no step '{step}'{EditDistance.Suggest(step, known)}{(known.Count == 0 ? "; none is deployed." : $" Known are {string.Join(", ", known)}.")}"
    );
