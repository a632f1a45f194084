using MassTransit;
using Microsoft.Extensions.Logging;
using QueueWorkers.Clocks;
using QueueWorkers.Consuming.Acknowledgement;
using QueueWorkers.Consuming.Tracing;
using QueueWorkers.Consuming.Watching;
using QueueWorkers.FlowControl;
using QueueWorkers.FlowControl.Gates;
using QueueWorkers.GroupCommit;
using QueueWorkers.Outbox;
using QueueWorkers.Steps;
using QueueWorkers.Steps.Faults;
using QueueWorkers.Steps.Runs;

namespace QueueWorkers.Consuming.Stages;

/// <summary>
/// Puts a message back into the outbox as it is, with a due time and without an attempt. While the outbox cannot be
/// written, the message stays here, unacked.
/// A crash before the outbox row brings the message again. A crash after it and before the acknowledgement brings a
/// copy, which <see cref="CommitStage{TStep}"/> drops.
/// Next: <see cref="AcknowledgeStage"/>; the relay sends the row when it is due.
/// </summary>
internal sealed class DeferStage<TStep>(
    OutboxWriter outbox,
    StepFailures failures,
    DatabaseWaitLog waits,
    StepMetrics metrics,
    ILogger<TStep> logger
)
    where TStep : class, IStep
{
    private static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LongestDatabaseWait = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan Brake = TimeSpan.FromMilliseconds(20);

    /// <summary>The gate does not let it in.</summary>
    public async Task RefusedAsync<T>(
        ConsumeContext<T> context,
        StepRun run,
        DateTimeOffset at,
        AdmissionResult refused
    )
        where T : class
    {
        StepLog.Deferred(logger, run.Step, run.SubjectId, run.MessageId, refused.Reason);
        await DeferAsync(context, run, at, refused.Cause);
    }

    /// <summary>Another run is at the same effect, or the step itself says that it is too early.</summary>
    public async Task UntilLaterAsync<T>(ConsumeContext<T> context, StepRun run, StepDeferredException busy)
        where T : class
    {
        StepLog.Deferred(logger, run.Step, run.SubjectId, run.MessageId, busy.Message);
        // A lease that is over and still in the way (or a step that knows no better than "soon") is asked for ever more
        // rarely.
        var isPutOff = busy is not EffectInProgressException;
        var cause = isPutOff ? DeferralCause.Delay : DeferralCause.EffectInProgress;
        var (count, soon) = (Deferral.CountOf(context, cause), DatabaseClock.UtcNow);
        var at = count == 0 ? soon : soon + Backoff.After(FirstWait, LongestWait, count - 1, run.MessageId);
        at = busy.Until > at ? busy.Until : at;
        // Whoever looks at the subject sees what it waits for. A run at the same effect shows itself. What is put off
        // stands behind first attempts, as a retry does.
        if (isPutOff)
            await DatabaseRetry.RunAsync(
                () => failures.RecordDeferredAsync(run, busy.Message, at),
                context.CancellationToken
            );
        await DeferAsync(context, run, at, cause, isBehind: isPutOff);
    }

    /// <summary>What the step depends on is down.</summary>
    public async Task UntilDependencyAsync<T>(
        ConsumeContext<T> context,
        StepRun run,
        Exception fault,
        DateTimeOffset at,
        AdmissionResult down
    )
        where T : class
    {
        var reason = down.ReasonWith(fault.Message);
        StepLog.Deferred(logger, run.Step, run.SubjectId, run.MessageId, reason);
        await DatabaseRetry.RunAsync(() => failures.RecordDeferredAsync(run, reason, at), context.CancellationToken);
        await DeferAsync(context, run, at, down.Cause);
    }

    /// <summary>The database is away, or refuses a statement.</summary>
    public async Task UntilDatabaseAsync<T>(ConsumeContext<T> context, StepRun run, Exception fault)
        where T : class
    {
        DatabaseFaultMetrics.Count(fault);
        waits.Say(logger, run.Step, fault);
        // A database that takes outbox rows and yet fails every run (a table or a right is missing) would send the
        // whole queue round and round. Not longer than a moment: whoever wants the slot may be luckier.
        await Task.Delay(Brake, context.CancellationToken);
        if (DatabaseFault.KindOf(fault) is not DatabaseFaultKind.Refused)
        {
            var wait = Backoff.After(
                FirstWait,
                LongestDatabaseWait,
                Deferral.CountOf(context, DeferralCause.Database),
                run.MessageId
            );
            await DeferAsync(context, run, DatabaseClock.UtcNow + wait, DeferralCause.Database);
            return;
        }

        var since = RefusedSince.Of(context);
        var until = RefusedSince.Next(since);
        // Whoever looks at the subject sees why its step waits.
        await DatabaseRetry.RunAsync(
            () => failures.RecordDeferredAsync(run, DatabaseFault.Explain(fault), until),
            context.CancellationToken
        );
        await DeferAsync(context, run, until, DeferralCause.Database, since);
    }

    // Waits for the database in this slot: there is nothing else to do for anybody until it is back, and putting the
    // message into the outbox needs it.
    private async Task DeferAsync<T>(
        ConsumeContext<T> context,
        StepRun run,
        DateTimeOffset until,
        DeferralCause cause,
        DateTimeOffset? refusedSince = null,
        bool isBehind = false
    )
        where T : class
    {
        metrics.Deferred(run.Step, cause);
        var notes = Deferral.Notes(context, cause).Concat(LastAttempt.Notes(context));
        var row = SendContextRow.Deferred(
            context,
            run.Step,
            until,
            LostDeliveries.Of(context),
            refusedSince,
            isBehind ? Deferral.Behind(Deferral.ClassOf(context)) : SendContextRow.PriorityOf(context),
            isBehind ? notes.Append(Deferral.ClassNote(context)) : notes
        );
        await DatabaseRetry.RunAsync(
            () => outbox.InsertAsync(row, context.CancellationToken),
            context.CancellationToken
        );
        await AcknowledgeStage.MarkConsumedAsync(context, run.Step);
    }
}
