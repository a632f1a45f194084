using Npgsql;
using Orders.Infrastructure.Coalescing;
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
internal sealed class EffectClaims(NpgsqlDataSource database) : IAsyncDisposable
{
    private readonly SharedClaims _claims = new(database);

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
        var wanted = new WantedClaim(run.SubjectId, run.Effect, run.MessageId, run.Step, lease, StorableText.OfNullable(reference), run.CountsAsStep);
        // Without an answer the row appeared between the statement's snapshot and its insert: a twin is at it this very moment.
        var answer = await _claims.CommitAsync(wanted).WaitAsync(cancellationToken) ?? throw new EffectInProgressException(run.Effect, run.SubjectId, DateTimeOffset.UtcNow + lease);
        if (answer.IsOurs)
            return answer.IsTakenOver ? EffectClaim.MaybeDone : EffectClaim.Granted;

        return answer.State switch
        {
            EffectState.Done => EffectClaim.AlreadyDone,
            EffectState.Uncertain => throw new UncertainEffectException(run.Effect, run.SubjectId, reference),
            _ => throw new EffectInProgressException(run.Effect, run.SubjectId, answer.LeaseUntil ?? DateTimeOffset.UtcNow + lease),
        };
    }

    public Task ReleaseAsync(StepRun run) => ExecuteAsync(Release, run.SubjectId, run.Effect, run.MessageId);

    public async Task GiveUpAsync(StepRun run, string? reference)
    {
        await ExecuteAsync(GiveUp, run.SubjectId, run.Effect);
        throw new UncertainEffectException(run.Effect, run.SubjectId, reference);
    }

    public ValueTask DisposeAsync() => _claims.DisposeAsync();

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
