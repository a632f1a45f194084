using MassTransit;
using Microsoft.Extensions.Logging;
using QueueWorkers.Consuming.DeadLettering;
using QueueWorkers.DeadLetters.Recording;
using QueueWorkers.GroupCommit;
using QueueWorkers.Steps;
using QueueWorkers.Steps.Runs;

namespace QueueWorkers.Consuming.Stages;

/// <summary>
/// Records a failed attempt (<see cref="StepFailures"/>). The pipeline then throws the fault on, and the filters that
/// <see cref="StepEndpoint"/> has configured around it act: retry in memory, redelivery through the outbox
/// (<see cref="RedeliveryScheduler"/>), or the move to <c>_error</c> behind <see cref="DeadLetterBackoff{T}"/>.
/// A crash after the record and before the message moves on repeats the attempt and counts it twice.
/// </summary>
internal sealed class FailureStage<TStep>(StepFailures failures, StepMetrics metrics, ILogger<TStep> logger)
    where TStep : class, IStep
{
    /// <summary>Records the attempt.</summary>
    public async Task RecordAsync(ConsumeContext context, StepRun run, Exception fault)
    {
        RequestedWait.Note(context, fault);
        var nextAttempt = StepSchedule.NextAttempt(
            run.Policy,
            fault,
            run.MessageId,
            context.GetRedeliveryCount(),
            context.GetRetryAttempt()
        );
        StepLog.AttemptFailed(logger, run.Step, run.SubjectId, run.MessageId, run.Attempt, nextAttempt, fault);
        metrics.Failed(
            run,
            fault,
            next: nextAttempt is not null,
            inMemory: StepSchedule.IsInMemory(run.Policy, fault, context.GetRetryAttempt())
        );
        await RecordAsync(context, run, fault, nextAttempt);
    }

    // Whatever becomes of the record, the fault itself decides what becomes of the message: a record that fails must
    // not take its place, or the step would be run again for it and the message dead-lettered without a row. What
    // cannot be stored is stored without its text.
    private async Task RecordAsync(ConsumeContext context, StepRun run, Exception fault, TimeSpan? nextAttempt)
    {
        try
        {
            await RecordAsync(fault, nextAttempt is null ? DeadLetteredRun.Of(context, run, fault) : null);
        }
        catch (Exception unstorable) when (!context.CancellationToken.IsCancellationRequested)
        {
            StepLog.UnstorableFailure(logger, run.Step, run.SubjectId, run.MessageId, unstorable);
            // The index takes the message from its queue.
            await RecordAsync(UnstorableFailure.InPlaceOf(run, fault), null);
        }

        Task RecordAsync(Exception told, DeadLetter? deadLettered) =>
            DatabaseRetry.RunAsync(
                () => failures.RecordAsync(run, told, nextAttempt, deadLettered),
                context.CancellationToken
            );
    }
}
