using MassTransit;
using MassTransit.Middleware;
using Microsoft.Extensions.Logging;
using Orders.Infrastructure.Cancellation;
using Orders.Infrastructure.Coalescing;
using Orders.Infrastructure.Controls;
using Orders.Infrastructure.Failures;
using Orders.Infrastructure.Idempotency;
using Orders.Infrastructure.Outbox;
using Orders.Infrastructure.Poison;
using Orders.Infrastructure.Steps.Limits;

namespace Orders.Infrastructure.Steps;

/// <summary>
/// The life of a message in a step. MassTransit calls it inside redelivery and retry, once per attempt:
/// 1. What was cancelled is left out, and so is what was not begun in time; both are recorded (<see cref="StepSkips"/>). Dying before that record brings the message again.
/// 2. A message whose processes have died runs alone, marked (<see cref="PoisonGuard"/>). The consumer runs with a time limit; what it wants written is collected in its <see cref="StepRun"/>. Dying here leaves nothing behind.
/// 3. The run is committed together with others; a copy of a message that was committed before is dropped as a whole. Dying after it and before the ack brings a copy.
/// 4. A fault is recorded and thrown on: MassTransit retries, puts the message into the outbox for later (through our scheduler), or moves it to <c>_error</c>.
/// 5. What is nobody's fault (the database is away, another run is at the same effect) is no attempt: the message goes back into the outbox as it is, and is acked.
///    While the outbox cannot be written either, the message stays here, unacked. A statement that the database refuses waits for a limited time (<see cref="RefusedSince"/>).
///    Nor is it one while the step is paused or throttled, or what it depends on is down: its gate says so before the run, or the dependency's breaker after it.
/// 6. At shutdown nothing is recorded: the message is not acked and returns to the queue.
/// </summary>
/// <typeparam name="TStep">The step.</typeparam>
internal sealed class StepPipeline<TStep>(
    StepCommitter committer, StepFailures failures, StepSkips skips, StepGates gates, Cancellations cancellations, TimeLimit limit, EffectClaims claims, OutboxWriter outbox, StepMetrics metrics,
    PoisonGuard poison, DuplicateEvidence duplicates, RefusedSince refusals, DatabaseWaitLog waits, IServiceProvider provider, ILogger<TStep> logger) : IOutboxContextFactory<TStep>
    where TStep : class, IStep
{
    private static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LongestDatabaseWait = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan BrakeStep = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LongestBrake = TimeSpan.FromSeconds(2);

    private int _databaseFaultsInARow;

    public async Task Send<T>(ConsumeContext<T> context, OutboxConsumeOptions options, IPipe<OutboxConsumeContext<T>> next)
        where T : class
    {
        var policy = TStep.Policy;
        var redeliveries = context.GetRedeliveryCount();
        var retries = context.GetRetryAttempt();
        // An id of zeros is none either: all that carry it would count as copies of one message.
        var id = context.GetOriginalMessageId() is { } given && given != Guid.Empty
            ? given
            : throw new PermanentFaultException($"The {typeof(T).Name} has no message id, so '{policy.Name}' cannot tell it from a copy; publish it with one.");
        var run = new StepRun(policy, id, context.CorrelationId ?? MessageSubject<T>.Of(context.Message) ?? id, context.ConversationId ?? id, (redeliveries * (policy.Retry.Count + 1)) + retries + 1, claims)
        {
            Priority = Deferral.ClassOf(context),
            Keys = key => context.ReceiveContext.TransportHeaders.Get<string>(MessageKeys.HeaderOf(key)),
        };
        var entered = false;
        try
        {
            if (policy.Compensations.Contains(typeof(T)))
                run.Compensate();
            // After a quiet time this process knows nothing new: it asks before it begins. While messages come, the polls keep both fresh and nobody waits here.
            await cancellations.FreshenAsync(context.CancellationToken);
            await gates.FreshenAsync(context.CancellationToken);
            if (await IsLeftOutAsync(context, run))
            {
                await SayConsumedAsync(context);
                return;
            }

            if (await gates.Of(policy.Name).EnterAsync(id, run.Attempt, Deferral.CountOf(context, DeferralCause.RetryBudget), run.Keys, context.CancellationToken) is { ComeAgainAt: { } at } refused)
            {
                StepLog.Postponed(logger, policy.Name, run.SubjectId, id, refused.Reason);
                await PostponeAsync(context, policy, at, refused.Cause);
                return;
            }

            entered = true;
            await using var pass = await poison.EnterAsync(run, LostDeliveries.Of(context), context.CancellationToken);
            try
            {
                await RunAsync(context, options, next, run);
            }
            catch (Exception fault) when (fault is EffectInProgressException || StepFailures.IsDatabaseFault(fault) || context.CancellationToken.IsCancellationRequested)
            {
                pass.PutOff();
                throw;
            }
        }
        catch (EffectInProgressException busy) when (!context.CancellationToken.IsCancellationRequested)
        {
            StepLog.Postponed(logger, policy.Name, run.SubjectId, id, busy.Message);
            // A lease that is over and still in the way (or a step that knows no better than "soon") is asked for ever more rarely.
            var (count, soon) = (Deferral.CountOf(context, DeferralCause.EffectInProgress), DateTimeOffset.UtcNow);
            var at = count == 0 ? soon : soon + Backoff.After(FirstWait, LongestWait, count - 1, id);
            await PostponeAsync(context, policy, busy.LeaseUntil > at ? busy.LeaseUntil : at, DeferralCause.EffectInProgress);
        }
        catch (Exception fault) when (!context.CancellationToken.IsCancellationRequested && refusals.IsWait(context, fault))
        {
            DatabaseFaultMetrics.Count(fault);
            waits.Say(logger, policy.Name, fault);
            await BrakeAsync(context.CancellationToken);
            await WaitForDatabaseAsync(context, run, fault);
        }
        catch (Exception fault) when (!context.CancellationToken.IsCancellationRequested)
        {
            if (entered && !StepFailures.IsDatabaseFault(fault) && await JudgeAsync(run, fault, context.CancellationToken) is { ComeAgainAt: { } at } down)
            {
                var reason = $"{down.Reason}; {fault.Message}";
                StepLog.Postponed(logger, policy.Name, run.SubjectId, id, reason);
                await DatabasePatience.RunAsync(() => failures.RecordPostponedAsync(run, reason, at), context.CancellationToken);
                await PostponeAsync(context, policy, at, down.Cause);
                return;
            }

            var nextAttempt = StepSchedule.NextAttempt(policy, fault, id, redeliveries, retries);
            StepLog.AttemptFailed(logger, policy.Name, run.SubjectId, id, run.Attempt, nextAttempt, fault);
            metrics.Failed(run, fault, parked: nextAttempt is null);
            await RecordAsync(context, run, fault, nextAttempt);
            throw;
        }
        finally
        {
            if (entered)
                gates.Of(policy.Name).Leave(id);
        }
    }

    public void Probe(ProbeContext context) => context.CreateFilterScope("step").Add("name", TStep.Policy.Name);

    private async Task RunAsync<T>(ConsumeContext<T> context, OutboxConsumeOptions options, IPipe<OutboxConsumeContext<T>> next, StepRun run)
        where T : class
    {
        try
        {
            await limit.RunAsync(run, token => next.Send(new StepConsumeContext<T>(context, options, provider, run, token)), logger, context.CancellationToken);
        }
        catch (Exception fault) when (!context.CancellationToken.IsCancellationRequested && IsCancelled(run, fault))
        {
            // Whatever stopped it, nobody waits for it any more: no further attempt. Unless an earlier run began the effect: then the fault is one like any other.
            if (!await LeaveOutAsync(run, StepStatus.Cancelled, fault.Message, context.CancellationToken))
                throw;
            await SayConsumedAsync(context);
            return;
        }
        catch (Exception fault) when (!context.CancellationToken.IsCancellationRequested && IsParkedBy(context, run, fault))
        {
            // Perhaps it failed because its subject was cancelled (a pick list that comes after its recall is refused for good), of which this process hears only once a second. Before an operator is bothered, it asks.
            if (!await WasCancelledAsync(run, context.CancellationToken) || !await LeaveOutAsync(run, StepStatus.Cancelled, fault.Message, context.CancellationToken))
                throw;
            await SayConsumedAsync(context);
            return;
        }

        if (gates.DependencyOf(run.Step) is { } dependency)
            await dependency.SucceededAsync(run.MessageId, context.CancellationToken);
        if (run.HasNothingToDo)
            return;
        var applied = await CommitAsync(run, context.CancellationToken);
        Volatile.Write(ref _databaseFaultsInARow, 0);
        metrics.Finished(run, applied);
        if (!applied)
            duplicates.Add(run.SubjectId, run.Step, run.Effect, run.MessageId, DuplicateCauses.Of(context));
    }

    // Every outcome of the step's own work says something about what it depends on: a refusal of this message means that somebody is there to refuse.
    private async ValueTask<GatePass> JudgeAsync(StepRun run, Exception fault, CancellationToken cancellationToken)
    {
        if (gates.DependencyOf(run.Step) is not { } dependency)
            return GatePass.Granted;
        // Leaving the gate gives a trial to the next message.
        if (dependency.Dependency.IsInconclusive(fault))
            return GatePass.Granted;
        if (dependency.Dependency.IsAtFault(fault) || fault is StepTimeoutException)
            return await dependency.FailedAsync(run.MessageId, StorableText.Of(fault.Message, 2000), dependency.Dependency.IsOutage(fault), cancellationToken);
        await dependency.SucceededAsync(run.MessageId, cancellationToken);
        return GatePass.Granted;
    }

    private bool IsCancelled(StepRun run, Exception fault) =>
        fault is SubjectCancelledException
        || (!run.IsCompensation && !run.MustFinish && fault is not EffectInProgressException && cancellations.Contains(run.SubjectId) && !StepFailures.IsDatabaseFault(fault));

    private static bool IsParkedBy(ConsumeContext context, StepRun run, Exception fault) =>
        fault is not EffectInProgressException && !StepFailures.IsDatabaseFault(fault)
        && StepSchedule.NextAttempt(run.Policy, fault, run.MessageId, context.GetRedeliveryCount(), context.GetRetryAttempt()) is null;

    private async Task<bool> WasCancelledAsync(StepRun run, CancellationToken cancellationToken)
    {
        var was = false;
        if (!run.IsCompensation && !run.MustFinish)
            await DatabasePatience.RunAsync(async () => was = await cancellations.ReadAsync(run.SubjectId, cancellationToken), cancellationToken);
        return was;
    }

    // No query on the normal way: what is cancelled is known in memory, and the time a message has is in its envelope.
    private async Task<bool> IsLeftOutAsync(ConsumeContext context, StepRun run)
    {
        if (run.IsCompensation)
            return false;
        if (cancellations.Contains(run.SubjectId))
            return await LeaveOutAsync(run, StepStatus.Cancelled, "its subject was cancelled", context.CancellationToken);
        // Only the first attempt can be too late: what was begun is brought to an end.
        if (run.Attempt > 1 || StartBefore(context, run.Policy) is not { } until || until > DateTimeOffset.UtcNow)
            return false;
        StepLog.Expired(logger, run.Step, run.SubjectId, run.MessageId, until);
        return await LeaveOutAsync(run, StepStatus.Expired, "it was not begun in time", context.CancellationToken);
    }

    private static DateTimeOffset? StartBefore(ConsumeContext context, StepPolicy policy)
    {
        DateTimeOffset? own = context.ExpirationTime is { } expiry ? new DateTimeOffset(expiry.ToUniversalTime()) : null;
        DateTimeOffset? usual = policy.StartWithin is { } within && context.SentTime is { } sent ? new DateTimeOffset(sent.ToUniversalTime()) + within : null;
        return own < usual ? own : usual ?? own;
    }

    private async Task<bool> LeaveOutAsync(StepRun run, StepStatus status, string reason, CancellationToken cancellationToken)
    {
        var outcome = SkipOutcome.LeftOut;
        await DatabasePatience.RunAsync(async () => outcome = await skips.TryAsync(run, status), cancellationToken);
        if (outcome == SkipOutcome.MustFinish)
        {
            run.MustFinish = true;
            return false;
        }

        StepLog.LeftOut(logger, run.Step, run.SubjectId, run.MessageId, outcome == SkipOutcome.Duplicate ? "it was dealt with before" : reason);
        metrics.LeftOut(run, outcome == SkipOutcome.Duplicate ? null : status);
        return true;
    }

    // A run is pure data and safe to commit twice, so it waits for a database that is away: what was done outside is known now and might not be after a restart.
    private async Task<bool> CommitAsync(StepRun run, CancellationToken cancellationToken)
    {
        var applied = false;
        await DatabasePatience.RunAsync(async () => applied = await committer.CommitAsync(run), cancellationToken, RefusedSince.LongestCommit);
        return applied;
    }

    // Whatever becomes of the record, the fault itself decides what becomes of the message: a record that fails must not take its place, or the step would be run again for it and the message
    // dead-lettered without a row. What cannot be stored is stored without its text.
    private async Task RecordAsync(ConsumeContext context, StepRun run, Exception fault, TimeSpan? nextAttempt)
    {
        try
        {
            await RecordAsync(fault, nextAttempt is null ? ParkedRun.Of(context, run, fault) : null);
        }
        catch (Exception unstorable) when (!context.CancellationToken.IsCancellationRequested)
        {
            StepLog.UnstorableFailure(logger, run.Step, run.SubjectId, run.MessageId, unstorable);
            // The index takes the message from its queue.
            await RecordAsync(UnstorableFailure.InPlaceOf(run, fault), null);
        }

        Task RecordAsync(Exception told, ParkedMessage? parked) =>
            DatabasePatience.RunAsync(() => failures.RecordAsync(run, told, nextAttempt, parked), context.CancellationToken);
    }

    // A database that takes outbox rows and yet fails every run (a table or a right is missing) would send the whole queue round and round: the longer that lasts, the longer each slot is held.
    // Not longer than a moment: whoever wants the slot may be luckier.
    private Task BrakeAsync(CancellationToken cancellationToken)
    {
        var wait = BrakeStep * Interlocked.Increment(ref _databaseFaultsInARow);
        return Task.Delay(wait < LongestBrake ? wait : LongestBrake, cancellationToken);
    }

    private async Task WaitForDatabaseAsync<T>(ConsumeContext<T> context, StepRun run, Exception fault)
        where T : class
    {
        if (DatabaseFault.KindOf(fault) is not DatabaseFaultKind.Refused)
        {
            var wait = Backoff.After(FirstWait, LongestDatabaseWait, Deferral.CountOf(context, DeferralCause.Database), run.MessageId);
            await PostponeAsync(context, run.Policy, DateTimeOffset.UtcNow + wait, DeferralCause.Database);
            return;
        }

        var since = RefusedSince.Of(context);
        var until = RefusedSince.Next(since);
        // Whoever looks at the subject sees why its step waits.
        await DatabasePatience.RunAsync(() => failures.RecordPostponedAsync(run, DatabaseFault.Explain(fault), until), context.CancellationToken);
        await PostponeAsync(context, run.Policy, until, DeferralCause.Database, since);
    }

    // Waits for the database in this slot: there is nothing else to do for anybody until it is back, and putting the message into the outbox needs it.
    private async Task PostponeAsync<T>(ConsumeContext<T> context, StepPolicy policy, DateTimeOffset until, DeferralCause cause, DateTimeOffset? refusedSince = null)
        where T : class
    {
        metrics.Postponed(policy.Name, cause);
        var row = SendContextRow.Again(context, policy.Name, until, LostDeliveries.Of(context), refusedSince, Deferral.Notes(context, cause));
        await DatabasePatience.RunAsync(() => outbox.InsertAsync(row, context.CancellationToken), context.CancellationToken);
        await SayConsumedAsync(context);
    }

    // Nobody else says so: the consumer has not seen the message, or has thrown, and the retry filter tells of a fault only when it gives up. A message that nobody has had is moved to _skipped,
    // where it would stand as a failure although it is dealt with.
    private static Task SayConsumedAsync<T>(ConsumeContext<T> context)
        where T : class => context.NotifyConsumed(context, context.ReceiveContext.ElapsedTime, TStep.Policy.Name);
}
