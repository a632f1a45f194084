using System.Data;
using Npgsql;
using QueueWorkers.Data;
using QueueWorkers.Idempotency;
using QueueWorkers.Operators;
using QueueWorkers.Outbox;
using QueueWorkers.Outbox.Relaying;
using QueueWorkers.Steps;
using QueueWorkers.Steps.Runs;

namespace QueueWorkers.DeadLetters;

/// <summary>
/// Effects of which nobody knows whether they happened (<see cref="EffectState.Uncertain"/>), and the operator's word
/// on one of them, who has looked in the outside system:
/// it happened: everything that the run's own commit would have written is written now, in one transaction and the same
/// lock order, and the failure is closed; it did not: the effect may begin again, and the message is free to be
/// redriven. Dying before the commit changes nothing.
/// </summary>
public sealed class UncertainEffects(NpgsqlDataSource database, IStepProgress progress, RelayFeed relay)
{
    private static readonly string Listed = $"""
        select e.subject_id, e.effect, e.step, e.message_id, e.reference, e.at,
            (select max(f.id::text)::uuid from failures f
            where f.message_id = e.message_id and f.step = e.step and f.state = {FailureState.Failed:D})
                as failure_id
        from effects e where e.state = {EffectState.Uncertain:D} and (e.at, e.subject_id) > ($1, $2)
            order by e.at, e.subject_id limit $3
        """;

    private static readonly string Find =
        $"select step, message_id from effects where subject_id = $1 and effect = $2 and state = {EffectState.Uncertain:D}";

    private const string Keep = "insert into idempotency (message_id, step) values ($1, $2) on conflict do nothing";

    private static readonly string Decide =
        $"update effects set state = $3, lease_until = null, at = now() where subject_id = $1 and effect = $2 and state = {EffectState.Uncertain:D}";

    /// <summary>Uncertain effects, the oldest first.</summary>
    /// <param name="after">The last one of the page before: when it became uncertain, and its subject.</param>
    /// <param name="limit">How many.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public async Task<IReadOnlyList<UncertainEffect>> ListAsync(
        (DateTimeOffset At, Guid Subject)? after,
        int limit,
        CancellationToken cancellationToken
    )
    {
        await using var command = database.CreateCommand(Listed);
        foreach (
            var value in new object[]
            {
                (after?.At ?? DateTimeOffset.UnixEpoch).ToUniversalTime(),
                after?.Subject ?? Guid.Empty,
                limit,
            }
        )
            command.Parameters.Add(new() { Value = value });
        var effects = new List<UncertainEffect>();
        await using var r = await command.ExecuteReaderAsync(cancellationToken);
        while (await r.ReadAsync(cancellationToken))
            effects.Add(
                new(
                    r.GetGuid("subject_id"),
                    r.GetString("effect"),
                    r.GetString("step"),
                    r.GetGuid("message_id"),
                    r.OptionalText("reference"),
                    r.GetFieldValue<DateTimeOffset>("at"),
                    r.Optional<Guid>("failure_id")
                )
            );
        return effects;
    }

    /// <summary>Settles one.</summary>
    /// <param name="subject">What the effect belongs to.</param>
    /// <param name="effect">Its name.</param>
    /// <param name="happened">What the operator has found out.</param>
    /// <param name="record">Who says so and why; written in the same transaction.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <returns>The step and message of the effect; null when it is not uncertain.</returns>
    public async Task<(string Step, Guid MessageId)?> SettleAsync(
        Guid subject,
        string effect,
        bool happened,
        AuditEntry record,
        CancellationToken cancellationToken
    )
    {
        Failpoint.Hit("deadletter.before_settle", Outside.Database);
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        if (await FindAsync(connection, subject, effect, cancellationToken) is not var (step, message))
            return null;
        // Before the effect's row, as steps lock them. A twin that has committed the same message meanwhile makes the
        // next line find nothing.
        if (happened)
            await ExecuteAsync(connection, Keep, cancellationToken, message, step);
        if (
            await ExecuteAsync(
                connection,
                Decide,
                cancellationToken,
                subject,
                effect,
                (short)(happened ? EffectState.Done : EffectState.DidNotHappen)
            ) == 0
        )
            return null;
        var run = RunOf(subject, effect, step, message);
        var published = happened
            ? await FinishAsync(
                connection,
                run,
                $"Settled by {record.Who}, its effect happened: {record.Reason}",
                cancellationToken
            )
            : [];
        await AuditLog.WriteAsync(connection, record, cancellationToken);
        Failpoint.Hit("deadletter.before_commit_settled", Outside.Database);
        await transaction.CommitAsync(cancellationToken);
        Failpoint.Hit("deadletter.after_commit_settled", Outside.Database);
        run.Committed();
        foreach (var outgoing in published)
            relay.Offer(outgoing);
        return (step, message);
    }

    private static StepRun RunOf(Guid subject, string effect, string step, Guid message)
    {
        var run = new StepRun(new StepPolicy(step), message, subject, message, 1, null)
        {
            Effect = effect,
            IsSecondary = effect != step,
        };
        if (effect == step + StepRun.CompensationSuffix)
            run.Compensate();
        return run;
    }

    private async Task<IReadOnlyList<OutboxMessage>> FinishAsync(
        NpgsqlConnection connection,
        StepRun run,
        string note,
        CancellationToken cancellationToken
    )
    {
        await FailureRows.CloseAsync(connection, run.MessageId, run.Step, note, cancellationToken);
        var published = await progress.RecordAsync(connection, [new StepChange(run, StepStatus.Done)]);
        var (subjects, steps) = (new[] { run.SubjectId }, new[] { run.Step });
        await ExecuteAsync(connection, DeadLetteredSteps.Lock, cancellationToken, subjects, steps);
        await ExecuteAsync(
            connection,
            DeadLetteredSteps.Settle,
            cancellationToken,
            subjects,
            steps,
            new[] { run.IsCompensation },
            new[] { run.Effect }
        );
        await OutboxWriter.InsertAsync(connection, published, cancellationToken);
        return published;
    }

    private static async Task<(string Step, Guid MessageId)?> FindAsync(
        NpgsqlConnection connection,
        Guid subject,
        string effect,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(Find, connection);
        command.Parameters.Add(new() { Value = subject });
        command.Parameters.Add(new() { Value = effect });
        Failpoint.Hit("deadletter.before_find_uncertain", Outside.Database);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken) ? (reader.GetString(0), reader.GetGuid(1)) : null;
    }

    private static async Task<int> ExecuteAsync(
        NpgsqlConnection connection,
        string sql,
        CancellationToken cancellationToken,
        params object[] values
    )
    {
        await using var command = new NpgsqlCommand(sql, connection);
        foreach (var value in values)
            command.Parameters.Add(new() { Value = value });
        Failpoint.Hit("deadletter.before_write_settled", Outside.Database);
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }
}

/// <summary>An effect of which nobody knows whether it happened.</summary>
/// <param name="SubjectId">What it belongs to.</param>
/// <param name="Effect">Its name.</param>
/// <param name="Step">The step that began it.</param>
/// <param name="MessageId">The message whose run began it.</param>
/// <param name="Reference">What to look for in the outside system.</param>
/// <param name="At">When it became uncertain.</param>
/// <param name="FailureId">The dead-lettered message; null when it is not dead-lettered any more.</param>
public sealed record UncertainEffect(
    Guid SubjectId,
    string Effect,
    string Step,
    Guid MessageId,
    string? Reference,
    DateTimeOffset At,
    Guid? FailureId
);
