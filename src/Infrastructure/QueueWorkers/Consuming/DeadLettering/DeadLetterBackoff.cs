using MassTransit;
using Microsoft.Extensions.Logging;
using QueueWorkers.FlowControl.Poison;

namespace QueueWorkers.Consuming.DeadLettering;

/// <summary>
/// Stands before the move to <c>_error</c> or <c>_skipped</c>. When that queue cannot be written, MassTransit gives the
/// message back to its own queue, which delivers it at once:
/// a circle as fast as the machine can run. From the first failure on, attempts of this endpoint go one at a time, a
/// second apart, and each says so; the first success ends it.
/// Nothing is lost meanwhile: the message is in its queue, unacked or ready.
/// </summary>
/// <typeparam name="TContext">A message that failed, or one that nobody understood.</typeparam>
#pragma warning disable CA1001 // A filter is never disposed; the semaphore lives as long as its endpoint, which is as long as the process, and opens no handle.
internal sealed class DeadLetterBackoff<TContext>(
    string step,
    string queue,
    PoisonMetrics metrics,
    ILogger logger,
    TimeProvider time
) : IFilter<TContext>
#pragma warning restore CA1001
    where TContext : class, ReceiveContext
{
    private static readonly TimeSpan Apart = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim _turn = new(1, 1);
    private long _failedAt;
    private volatile bool _failing;

    public async Task Send(TContext context, IPipe<TContext> next)
    {
        if (!_failing)
        {
            await MoveAsync(context, next);
            return;
        }

        await _turn.WaitAsync(context.CancellationToken);
        try
        {
            var wait = Apart - time.GetElapsedTime(Interlocked.Read(ref _failedAt));
            if (_failing && wait > TimeSpan.Zero)
                await Task.Delay(wait, time, context.CancellationToken);
            await MoveAsync(context, next);
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Probe(ProbeContext context) => context.CreateFilterScope("deadLetterBackoff");

    private async Task MoveAsync(TContext context, IPipe<TContext> next)
    {
        try
        {
            await next.Send(context);
        }
        catch (Exception fault) when (!context.CancellationToken.IsCancellationRequested)
        {
            Interlocked.Exchange(ref _failedAt, time.GetTimestamp());
            _failing = true;
            metrics.CannotDeadLetter(step);
            PoisonLog.CannotDeadLetter(logger, step, queue, fault.Message);
            throw;
        }

        if (_failing)
        {
            _failing = false;
            PoisonLog.CanDeadLetter(logger, step, queue);
        }
    }
}
