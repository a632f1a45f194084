using MassTransit;
using Microsoft.Extensions.Logging;
using Orders.Infrastructure.Controls;

namespace Orders.Infrastructure.Steps;

/// <summary>
/// Makes a step's receive endpoint follow its gate: closed, it takes nothing from the queue, so that messages wait where every replica, and priority, still has a say;
/// open, it takes as many as may run. For a new number the consumer is cancelled, what is running ends (after 15 seconds it is cancelled and returns to the queue, no attempt counted),
/// and it begins again. Until then the gate itself already keeps the new limit.
/// </summary>
internal sealed class StepEndpointSwitch(StepGate gate, ILogger<StepEndpointSwitch> logger, CancellationToken stopping) : IReceiveEndpointObserver
{
    private readonly Lock _lock = new();
    private IReceiveEndpoint? _endpoint;
    private int _prefetch;
    private bool _busy;
    private bool _stopped;

    /// <summary>What the consumer that is about to begin may hold. Waits for the first poll: before it nobody knows whether the step is paused.</summary>
    public async Task<ushort> BeginAsync(CancellationToken cancellationToken)
    {
        // A process that stops before it ever saw the database must not wait for it here.
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, stopping);
        await gate.Known.WaitAsync(either.Token);
        lock (_lock)
        {
            // A closed gate is met with one message at most, which is put back through the outbox: an endpoint that never began would make the process look as if it were not ready.
            _prefetch = Math.Max(1, gate.Limit);
            return (ushort)_prefetch;
        }
    }

    public Task Ready(ReceiveEndpointReady ready)
    {
        lock (_lock)
            _endpoint = ready.ReceiveEndpoint;
        Follow();
        return Task.CompletedTask;
    }

    public Task Stopping(ReceiveEndpointStopping stop) => Task.CompletedTask;

    public Task Completed(ReceiveEndpointCompleted completed) => Task.CompletedTask;

    public Task Faulted(ReceiveEndpointFaulted faulted) => Task.CompletedTask;

    /// <summary>Called when the gate has changed.</summary>
    public void Follow()
    {
        lock (_lock)
        {
            if (_busy || !IsBehind())
                return;
            _busy = true;
        }

        _ = Task.Run(CatchUpAsync, CancellationToken.None);
    }

    private bool IsBehind() => _endpoint is not null && !stopping.IsCancellationRequested && gate.Limit != (_stopped ? 0 : _prefetch);

    private async Task CatchUpAsync()
    {
        while (true)
        {
            lock (_lock)
            {
                if (!IsBehind())
                {
                    _busy = false;
                    return;
                }
            }

            try
            {
                await SwitchAsync(_endpoint!);
            }
#pragma warning disable CA1031 // The endpoint is left as it is, and the next change, or the next poll, tries again.
            catch (Exception exception) when (!stopping.IsCancellationRequested)
#pragma warning restore CA1031
            {
                StepLog.SwitchFailed(logger, gate.Step.Name, exception);
                lock (_lock)
                    _busy = false;
                return;
            }
        }
    }

    private async Task SwitchAsync(IReceiveEndpoint endpoint)
    {
        if (!_stopped)
        {
            await endpoint.Stop(stopping);
            lock (_lock)
                _stopped = true;
        }

        lock (_lock)
        {
            if (gate.Limit == 0 || stopping.IsCancellationRequested)
                return;
            _stopped = false;
            _prefetch = gate.Limit;
        }

        endpoint.Start(CancellationToken.None);
    }
}
