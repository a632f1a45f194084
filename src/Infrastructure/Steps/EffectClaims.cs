using Npgsql;
using Orders.Infrastructure.Idempotency;

namespace Orders.Infrastructure.Steps;

/// <summary>
/// The life of an effect that the outside world sees before we can commit (decision 13):
/// 1. The run commits a pending effect row with a lease, and only then calls the outside system.
/// 2. The run's commit turns it into done, in the transaction of everything else.
/// 3. A run that failed for certain takes the row back; the next attempt starts at 1.
/// 4. A run that died leaves the row pending. Until the lease ends the message only waits: the dead run may be a frozen one that goes on.
/// 5. After the lease the next run learns that the effect may have happened, and asks the outside system or gives up as uncertain.
/// 6. What was given up is settled by an operator (<see cref="Failures.UncertainEffects"/>): it is done, or it may begin again at 1.
/// A crash after any of these lines leaves a row that says which of them was the last.
/// </summary>
internal sealed class EffectClaims(NpgsqlDataSource database)
{
    // One statement, one commit. The conflict branch takes over a pending row whose lease has ended, or begins anew what an operator has found not done, and leaves all others as they are;
    // "claimed" tells the three outcomes apart: inserted, taken over, not ours.
    private const string Claim = """
        with claimed as (
            insert into effects (subject_id, effect, message_id, step, state, lease_until, reference)
            values ($1, $2, $3, $4, 1, now() + $5, $6)
            on conflict (subject_id, effect) do update set message_id = excluded.message_id, state = 1, lease_until = excluded.lease_until, at = now()
                where effects.state = 1 and effects.lease_until <= now() or effects.state = 4
            returning old.effect is not null and old.state = 1 as taken_over),
        running as (
            insert into step_runs (subject_id, step, status, attempts, started_at)
            select $1, $4, 1, 0, now() from claimed where $7
            on conflict (subject_id, step) do update set status = 1, next_attempt_at = null)
        select taken_over, 1::smallint, null::timestamptz from claimed
        union all
        select null, e.state, e.lease_until from effects e where e.subject_id = $1 and e.effect = $2 and not exists (select from claimed)
        """;

    private const string Release = "delete from effects where subject_id = $1 and effect = $2 and message_id = $3 and state = 1";

    private const string GiveUp = "update effects set state = 3, lease_until = null, at = now() where subject_id = $1 and effect = $2 and state = 1";

    private const string Past = """
        select (select state from effects where subject_id = $1 and effect = $2), (select status from step_runs where subject_id = $1 and step = $2)
        """;

    public async Task<StepPast> PastAsync(StepRun run, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Past);
        command.Parameters.Add(new() { Value = run.SubjectId });
        command.Parameters.Add(new() { Value = run.Step });
        Failpoint.Hit("steps.before_read_past", Outside.Database);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return new StepPast(reader.IsDBNull(0) ? null : (EffectState)reader.GetInt16(0), reader.IsDBNull(1) ? null : (StepStatus)reader.GetInt16(1));
    }

    public async Task<EffectClaim> ClaimAsync(StepRun run, TimeSpan lease, string? reference, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Claim);
        command.Parameters.Add(new() { Value = run.SubjectId });
        command.Parameters.Add(new() { Value = run.Effect });
        command.Parameters.Add(new() { Value = run.MessageId });
        command.Parameters.Add(new() { Value = run.Step });
        command.Parameters.Add(new() { Value = lease });
        command.Parameters.Add(new() { Value = (object?)reference ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Text });
        // An extra effect leaves the step's own row alone: nothing would ever turn Running back.
        command.Parameters.Add(new() { Value = run.CountsAsStep });

        Failpoint.Hit("steps.before_claim", Outside.Database);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        if (!await reader.ReadAsync(cancellationToken))
        {
            // The row appeared between our snapshot and our insert: a twin is at it this very moment.
            throw new EffectInProgressException(run.Effect, run.SubjectId, DateTimeOffset.UtcNow + lease);
        }

        Failpoint.Hit("steps.after_claim", Outside.Database);
        if (!reader.IsDBNull(0))
            return reader.GetBoolean(0) ? EffectClaim.MaybeDone : EffectClaim.Granted;

        return (EffectState)reader.GetInt16(1) switch
        {
            EffectState.Done => EffectClaim.AlreadyDone,
            EffectState.Uncertain => throw new UncertainEffectException(run.Effect, run.SubjectId, reference),
            _ => throw new EffectInProgressException(run.Effect, run.SubjectId, reader.GetFieldValue<DateTimeOffset>(2)),
        };
    }

    public Task ReleaseAsync(StepRun run) => ExecuteAsync(Release, run.SubjectId, run.Effect, run.MessageId);

    public async Task GiveUpAsync(StepRun run, string? reference)
    {
        await ExecuteAsync(GiveUp, run.SubjectId, run.Effect);
        throw new UncertainEffectException(run.Effect, run.SubjectId, reference);
    }

    // Not cancellable: at shutdown the outcome of what was done outside matters more than the last milliseconds.
    private async Task ExecuteAsync(string sql, params object[] values)
    {
        await using var command = database.CreateCommand(sql);
        foreach (var value in values)
            command.Parameters.Add(new() { Value = value });
        Failpoint.Hit("steps.before_settle_claim", Outside.Database);
        await command.ExecuteNonQueryAsync(CancellationToken.None);
        Failpoint.Hit("steps.after_settle_claim", Outside.Database);
    }
}
