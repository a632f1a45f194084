using MassTransit;
using Microsoft.Extensions.Logging;
using QueueWorkers.FlowControl.Cancellation;
using QueueWorkers.Steps.Faults;
using QueueWorkers.Steps.Runs;

namespace QueueWorkers.Consuming.Limits;

/// <summary>
/// Runs a step's consumer within its time limit:
/// 1. The limit, the end of the process and the cancellation of the subject cancel the consumer's token. A step that
///    obeys ends, and that is all.
/// 2. One that does not obey the limit or the end of the process is abandoned after a moment of grace: its slot is
///    free again, and where it stands is reported.
/// 3. What it still does is fenced: it can claim no effect any more, and nothing it wants written is ever committed. A
///    call that it has begun outside may still happen;
///    for that there are claims, and idempotency keys that stay the same over attempts.
/// </summary>
internal sealed class TimeLimit(RunningSteps running, TimeProvider time)
{
    /// <summary>How long after its token was cancelled a step may take to notice.</summary>
    internal static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);

    /// <summary>
    /// The same at the end of the process: what was begun outside (a mail) may still come to its end, and the process
    /// ends in time all the same.
    /// </summary>
    internal static readonly TimeSpan GraceAtTheEnd = TimeSpan.FromSeconds(4);

    /// <summary>Runs it.</summary>
    /// <exception cref="StepTimeoutException">The limit was reached; whether or not the step obeyed.</exception>
    /// <exception cref="StepCancelledException">Something in the step cancelled it, or its subject was
    /// cancelled.</exception>
    /// <exception cref="OperationCanceledException">The process ends.</exception>
    public async Task RunAsync(
        StepRun run,
        Func<CancellationToken, Task> consume,
        ILogger logger,
        CancellationToken stopping
    )
    {
        using var clock = new CancellationTokenSource(run.Policy.Timeout, time);
        await using var end = stopping.UnsafeRegister(static c => ((CancellationTokenSource)c!).Cancel(), clock);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(clock.Token);
        var work = new Work();
        running.Add(run, limit);
        try
        {
            // Apart from the endpoint's own flow: a step that blocks its thread blocks nobody else.
            work.Task = Task.Run(() => work.RunAsync(consume, limit.Token), CancellationToken.None);
            await ObeyedAsync(run, work, logger, clock.Token, stopping);
        }
        catch (Exception fault)
            when (fault is OperationCanceledException or ConsumerCanceledException && !stopping.IsCancellationRequested)
        {
            throw clock.IsCancellationRequested
                ? new StepTimeoutException(run.Step, run.Policy.Timeout, run.AbandonedAt)
                : new StepCancelledException(run.Step, fault);
        }
        finally
        {
            running.Remove(run);
        }
    }

    private async Task ObeyedAsync(
        StepRun run,
        Work work,
        ILogger logger,
        CancellationToken over,
        CancellationToken stopping
    )
    {
        try
        {
            await work.Task.WaitAsync(over);
            return;
        }
        catch (OperationCanceledException) when (over.IsCancellationRequested)
        {
            // Either the step has obeyed, which the next lines see, or it has not yet.
        }

        if (
            await Task.WhenAny(
                work.Task,
                Task.Delay(stopping.IsCancellationRequested ? GraceAtTheEnd : Grace, time, CancellationToken.None)
            ) != work.Task
        )
        {
            run.Abandon(work.Where());
            StepLog.Abandoned(
                logger,
                run.Step,
                run.SubjectId,
                run.MessageId,
                run.Attempt,
                run.Policy.Timeout,
                run.AbandonedAt!
            );
            _ = FollowAsync(run, work.Task, logger);
            throw new OperationCanceledException(over);
        }

        await work.Task;
    }

    // So that its end is known, and its fault is nobody's unobserved exception.
    private async Task FollowAsync(StepRun run, Task work, ILogger logger)
    {
        var began = time.GetTimestamp();
        await work.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        StepLog.AbandonedEnded(
            logger,
            run.Step,
            run.SubjectId,
            run.MessageId,
            time.GetElapsedTime(began),
            work.Exception?.InnerException?.Message ?? "it returned"
        );
    }

    private sealed class Work
    {
        private volatile Task? _inner;
        private volatile Thread? _thread;

        public Task Task { get; set; } = Task.CompletedTask;

        public Task RunAsync(Func<CancellationToken, Task> consume, CancellationToken cancellationToken)
        {
            _thread = Thread.CurrentThread;
            var inner = consume(cancellationToken);
            _inner = inner;
            return inner;
        }

        // The runtime shows no thread the stack of another; what it does show is said instead.
        public string Where() =>
            (_inner, _thread) switch
            {
                ({ } inner, _) => AsyncStack.Of(inner) is { Count: > 0 } frames
                    ? string.Join(" → ", frames)
                    : "somewhere in an await",
                (null, { } thread) =>
                    $"it blocks thread {thread.ManagedThreadId} ({thread.ThreadState}) and has not come to its first await",
                _ => "it was never given a thread: the thread pool is exhausted",
            };
    }
}
