using Npgsql;
using QueueWorkers.Clocks;
using QueueWorkers.GroupCommit;
using QueueWorkers.Idempotency;
using QueueWorkers.Steps.Faults;
using QueueWorkers.Steps.Runs;

namespace QueueWorkers.Steps.Claims;

/// <summary>
/// The life of an effect that the outside world sees before we can commit:
/// 1. The run commits a pending effect row with a lease, and only then calls the outside system.
/// 2. The run's commit turns it into done, in the transaction of everything else.
/// 3. A run that failed for certain takes the row back; the next attempt starts at 1. While the database does not
///    answer, the message goes no further.
/// 4. A run that died leaves the row pending. Until the lease ends the message only waits: the dead run may be a frozen
///    one that goes on.
/// 5. After the lease the next run learns that the effect may have happened, and asks the outside system or gives up as
///    uncertain.
/// 6. What was given up is settled by an operator (<c>UncertainEffects</c>): it is done, or it may begin again at 1.
/// A crash after any of these lines leaves a row that says which of them was the last.
/// 7. A claim that the run has not accepted is taken back before its message goes on, when its commit has ended: the
///    effect was not begun. That is a claim whose answer was lost, whose run was cancelled meanwhile, or whose run was
///    abandoned. A process that dies before that leaves it, as at 4.
/// The end of the lease is the token of a claim: whoever takes a lapsed claim over gets a later end, so a late run, of
/// the same message or another one, changes nothing of its successor's.
/// </summary>
internal sealed class EffectClaims(NpgsqlDataSource database) : IAsyncDisposable
{
    private static readonly TimeSpan TakenOver = TimeSpan.FromSeconds(5);

    private readonly SharedClaims _claims = new(database);

    private static readonly string Release =
        $"delete from effects where subject_id = $1 and effect = $2 and message_id = $3 and lease_until = $4 and state = {EffectState.Pending:D}";

    // A claim whose commit is still under way cannot be seen, and so not be deleted. This waits for its end: the key is
    // the same. A row that it inserts itself has the claim's message and length of lease, so what follows deletes it.
    private static readonly string AwaitClaim =
        $"insert into effects (subject_id, effect, message_id, step, state, lease_until) values ($1, $2, $3, $5, {EffectState.Pending:D}, now() + $4) on conflict (subject_id, effect) do nothing";

    // The length of the lease, to the microsecond, is that of no other claim. What was taken over keeps the time of its
    // first claim, so it is another length: its effect may have happened, and it stays.
    private static readonly string TakeBack =
        $"delete from effects where subject_id = $1 and effect = $2 and message_id = $3 and lease_until - at = $4 and state = {EffectState.Pending:D}";

    private static readonly string GiveUp =
        $"update effects set state = {EffectState.Uncertain:D}, lease_until = null, at = now() where subject_id = $1 and effect = $2 and message_id = $3 and lease_until = $4 and state = {EffectState.Pending:D}";

    private static readonly string Past = $"""
        select (select state from effects where subject_id = $1 and effect = $2),
            (select status from step_runs where subject_id = $1 and step = $2),
            (select lease_until - now() from effects where subject_id = $1 and effect = $2
                and state = {EffectState.Pending:D})
        """;

    public async Task<StepState> StateAsync(StepRun run, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Past);
        command.Parameters.Add(new() { Value = run.SubjectId });
        command.Parameters.Add(new() { Value = run.Step });
        Failpoint.Hit("steps.before_read_past", Outside.Database);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return new StepState(
            reader.IsDBNull(0) ? null : (EffectState)reader.GetInt16(0),
            reader.IsDBNull(1) ? null : (StepStatus)reader.GetInt16(1),
            reader.IsDBNull(2) ? null : reader.GetFieldValue<TimeSpan>(2)
        );
    }

    public async Task<EffectClaim> ClaimAsync(
        StepRun run,
        TimeSpan lease,
        string? reference,
        CancellationToken cancellationToken
    )
    {
        cancellationToken.ThrowIfCancellationRequested();
        // The step has caught the fault of an earlier claim, and tries again.
        await SettleOpenAsync(run, cancellationToken);
        var unmistakable = lease + TimeSpan.FromMicroseconds(Random.Shared.Next(1_000_000));
        var wanted = new WantedClaim(
            run.SubjectId,
            run.Effect,
            run.MessageId,
            run.Step,
            unmistakable,
            StorableText.OfNullable(reference),
            !run.IsSecondary
        );
        if (!run.Claim.TryBegin(run.Effect, unmistakable, () => _claims.CommitAsync(wanted), out var claim))
            throw Refused(run, cancellationToken);
        // Never cancelled: a claim that waits in the queue is committed all the same, with nobody behind it.
        // Without an answer the row appeared between the statement's snapshot and its insert: a twin is at it this very
        // moment.
        var answer = await claim.Commit;
        if (answer is { IsOurs: true })
        {
            if (cancellationToken.IsCancellationRequested || !run.Claim.TryAccept(claim, answer.LeaseUntil))
            {
                // Also at the end of the process, where no stage behind the run does it. A fault here leaves it to that
                // stage.
                await TakeBackUnansweredAsync(run, CancellationToken.None);
                throw Refused(run, cancellationToken);
            }

            return answer.IsTakenOver ? EffectClaim.MaybeDone : EffectClaim.Granted;
        }

        run.Claim.Forget(claim);
        return answer?.State switch
        {
            EffectState.Done => EffectClaim.AlreadyDone,
            EffectState.Uncertain => throw new UncertainEffectException(run.Effect, run.SubjectId, reference),
            _ => throw new EffectInProgressException(
                run.Effect,
                run.SubjectId,
                answer?.LeaseUntil ?? DatabaseClock.UtcNow + lease
            ),
        };
    }

    /// <summary>
    /// Takes back a claim that the run has not accepted, and from now on cannot accept: it has begun nothing. Waits for
    /// the end of the claim's commit.
    /// </summary>
    public async Task TakeBackUnansweredAsync(StepRun run, CancellationToken cancellationToken)
    {
        if (run.Claim.Withdraw() is not { } claim)
            return;
        // Its fault is thrown to whoever claims.
        await ((Task)claim.Commit).WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
        // One transaction: nobody sees the row in between.
        await using var batch = database.CreateBatch();
        batch.BatchCommands.Add(CommandOf(AwaitClaim));
        batch.BatchCommands[0].Parameters.Add(new() { Value = run.Step });
        batch.BatchCommands.Add(CommandOf(TakeBack));
        await batch.ExecuteNonQueryAsync(cancellationToken);
        run.Claim.Forget(claim);

        NpgsqlBatchCommand CommandOf(string sql) =>
            new(sql)
            {
                Parameters =
                {
                    new() { Value = run.SubjectId },
                    new() { Value = claim.Effect },
                    new() { Value = run.MessageId },
                    new NpgsqlParameter<TimeSpan> { TypedValue = claim.Lease },
                },
            };
    }

    /// <summary>
    /// Takes the claim back. A database that does not answer is no fault here: the step has one of its own to tell,
    /// which says more (a mail server that refuses). <see cref="SettleOpenAsync"/> takes the claim back then.
    /// </summary>
    public async Task ReleaseAsync(StepRun run)
    {
        run.Claim.Owe(run.Effect);
        try
        {
            await ReleaseOwedAsync(run);
        }
        catch (Exception fault) when (DatabaseFault.MayPass(fault))
        {
            DatabaseFaultMetrics.Count(fault);
        }
    }

    /// <summary>
    /// Settles what a run has left open of its claim; safe to repeat. Nothing may happen to its message before: the next
    /// run would take the effect for one that may have happened.
    /// </summary>
    public async Task SettleOpenAsync(StepRun run, CancellationToken cancellationToken)
    {
        await TakeBackUnansweredAsync(run, cancellationToken);
        await ReleaseOwedAsync(run);
    }

    public async Task GiveUpAsync(StepRun run, string? reference)
    {
        // Not ours any more: whoever took the effect over decides, and this message asks again.
        if (run.Claim.Until is not { } token || !await SettleAsync(GiveUp, run, run.Effect, token))
            throw new EffectInProgressException(run.Effect, run.SubjectId, DatabaseClock.UtcNow + TakenOver);
        throw new UncertainEffectException(run.Effect, run.SubjectId, reference);
    }

    public ValueTask DisposeAsync() => _claims.DisposeAsync();

    private async Task ReleaseOwedAsync(StepRun run)
    {
        // Never claimed, or claimed without an answer: then no row is known to be ours, and its lease says when another
        // run may look. A lapsed claim that another run has taken over is that run's: this changes nothing.
        if (run.Claim.Owed is not var (effect, token))
            return;
        await SettleAsync(Release, run, effect, token);
        run.Claim.Paid();
    }

    private static Exception Refused(StepRun run, CancellationToken cancellationToken) =>
        run.AbandonedAt is { } where
            ? new StepTimeoutException(run.Step, run.Policy.Timeout, where)
            : new OperationCanceledException("The run was cancelled while its claim was committed.", cancellationToken);

    // Not cancellable: at shutdown the outcome of what was done outside matters more than the last milliseconds.
    private async Task<bool> SettleAsync(string sql, StepRun run, string effect, DateTimeOffset token)
    {
        await using var command = database.CreateCommand(sql);
        command.Parameters.Add(new() { Value = run.SubjectId });
        command.Parameters.Add(new() { Value = effect });
        command.Parameters.Add(new() { Value = run.MessageId });
        command.Parameters.Add(new() { Value = token });
        Failpoint.Hit("steps.before_settle_claim", Outside.Database);
        var settled = await command.ExecuteNonQueryAsync(CancellationToken.None);
        Failpoint.Hit("steps.after_settle_claim", Outside.Database);
        return settled > 0;
    }
}
