using MassTransit;
using MassTransit.Middleware;
using Microsoft.Extensions.Logging;
using Orders.Infrastructure.Coalescing;
using Orders.Infrastructure.Outbox;

namespace Orders.Infrastructure.Steps;

/// <summary>
/// The life of a message in a step. MassTransit calls it inside redelivery and retry, once per attempt:
/// 1. The consumer runs with a time limit; what it wants written is collected in its <see cref="StepRun"/>. Dying here leaves nothing behind.
/// 2. The run is committed together with others; a copy of a message that was committed before is dropped as a whole. Dying after it and before the ack brings a copy.
/// 3. A fault is recorded and thrown on: MassTransit retries, puts the message into the outbox for later (through our scheduler), or moves it to <c>_error</c>.
/// 4. What is nobody's fault (the database is away, another run is at the same effect) is no attempt: the message goes back into the outbox as it is, and is acked.
/// 5. At shutdown nothing is recorded: the message is not acked and returns to the queue.
/// </summary>
/// <typeparam name="TStep">The step.</typeparam>
internal sealed class StepPipeline<TStep>(
    StepCommitter committer, StepFailures failures, EffectClaims claims, OutboxWriter outbox, StepMetrics metrics, IServiceProvider provider,
    TimeProvider time, ILogger<TStep> logger) : IOutboxContextFactory<TStep>
    where TStep : class, IStep
{
    private static readonly TimeSpan PostponedAfterDatabaseFault = TimeSpan.FromSeconds(1);

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
        var run = new StepRun(policy, id, context.CorrelationId ?? MessageSubject<T>.Of(context.Message) ?? id, context.ConversationId ?? id, (redeliveries * (policy.Retry.Count + 1)) + retries + 1, claims);
        try
        {
            await ConsumeAsync(context, options, next, run);
            metrics.Finished(run, applied: await CommitAsync(run, context.CancellationToken));
        }
        catch (EffectInProgressException busy) when (!context.CancellationToken.IsCancellationRequested)
        {
            StepLog.Postponed(logger, policy.Name, run.SubjectId, id, busy.Message);
            await PostponeAsync(context, policy, busy.LeaseUntil);
        }
        catch (Exception fault) when (!context.CancellationToken.IsCancellationRequested && StepFailures.IsDatabaseFault(fault))
        {
            StepLog.Postponed(logger, policy.Name, run.SubjectId, id, fault.Message);
            await PostponeAsync(context, policy, DateTimeOffset.UtcNow + PostponedAfterDatabaseFault);
        }
        catch (Exception fault) when (!context.CancellationToken.IsCancellationRequested)
        {
            var nextAttempt = StepSchedule.NextAttempt(policy, fault, id, redeliveries, retries);
            StepLog.AttemptFailed(logger, policy.Name, run.SubjectId, id, run.Attempt, nextAttempt, fault);
            metrics.Failed(run, fault, parked: nextAttempt is null);
            await DatabasePatience.RunAsync(() => failures.RecordAsync(run, fault, nextAttempt), context.CancellationToken);
            throw;
        }
    }

    public void Probe(ProbeContext context) => context.CreateFilterScope("step").Add("name", TStep.Policy.Name);

    private async Task ConsumeAsync<T>(ConsumeContext<T> context, OutboxConsumeOptions options, IPipe<OutboxConsumeContext<T>> next, StepRun run)
        where T : class
    {
        using var clock = new CancellationTokenSource(run.Policy.Timeout, time);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, clock.Token);
        try
        {
            await next.Send(new StepConsumeContext<T>(context, options, provider, run, limit.Token));
        }
        catch (Exception fault) when (fault is OperationCanceledException or ConsumerCanceledException && !context.CancellationToken.IsCancellationRequested)
        {
            throw clock.IsCancellationRequested ? new StepTimeoutException(run.Step, run.Policy.Timeout) : new StepCancelledException(run.Step, fault);
        }
    }

    // A run is pure data and safe to commit twice, so it waits for a database that is away: what was done outside is known now and might not be after a restart.
    private async Task<bool> CommitAsync(StepRun run, CancellationToken cancellationToken)
    {
        var applied = false;
        await DatabasePatience.RunAsync(async () => applied = await committer.CommitAsync(run), cancellationToken);
        return applied;
    }

    // Waits for the database in this slot: there is nothing else to do for anybody until it is back, and putting the message into the outbox needs it.
    private async Task PostponeAsync<T>(ConsumeContext<T> context, StepPolicy policy, DateTimeOffset until)
        where T : class
    {
        await DatabasePatience.RunAsync(() => outbox.InsertAsync(SendContextRow.Again(context, policy.Name, until), context.CancellationToken), context.CancellationToken);
        // Nobody else says so: the consumer has thrown, and the retry filter tells of a fault only when it gives up. A message that nobody has had is moved to _skipped.
        await context.NotifyConsumed(context, context.ReceiveContext.ElapsedTime, TStep.Policy.Name);
    }
}
