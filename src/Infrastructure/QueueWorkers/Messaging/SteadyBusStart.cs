using MassTransit;
using MassTransit.Transports;
using Microsoft.Extensions.Logging;
using RabbitMQ.Client.Exceptions;

namespace QueueWorkers.Messaging;

/// <summary>Starts MassTransit's buses once the broker has taken a connection of this process.</summary>
/// <remarks>
/// A bus that starts waits for a broker that cannot be reached, but gives up for good on one that refuses its login, and
/// cannot be started a second time (MassTransit 8.5: its endpoints count as started). A worker that starts while its
/// password is being rotated would consume nothing until it ends itself. The connection asked for is the relay's.
/// </remarks>
internal sealed class SteadyBusStart(
    IEnumerable<IBusInstance> buses,
    BrokerConnection broker,
    RabbitMqOptions options,
    ILogger<SteadyBusStart> logger
) : IBusDepot, IDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private Task _starting = Task.CompletedTask;

    /// <summary>Completes once every bus has started.</summary>
    /// <param name="cancellationToken">The start is given up.</param>
    public Task Start(CancellationToken cancellationToken) => _starting = StartAsync(cancellationToken);

    /// <summary>Ends a start that is under way, then stops the buses.</summary>
    /// <param name="cancellationToken">How long the stop may take.</param>
    public async Task Stop(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync();
        await _starting.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Task.WhenAll(buses.Select(b => b.BusControl.StopAsync(cancellationToken)));
    }

    /// <inheritdoc />
    public void Dispose() => _stopping.Dispose();

    private async Task StartAsync(CancellationToken cancellationToken)
    {
        using var given = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _stopping.Token);
        while (!await CanConnectAsync(given.Token))
            await Task.Delay(SteadyReconnect.Draw(), given.Token);
        await Task.WhenAll(buses.Select(b => b.BusControl.StartAsync(given.Token)));
    }

    private async Task<bool> CanConnectAsync(CancellationToken cancellationToken)
    {
        try
        {
            await broker.OpenAsync(cancellationToken);
            return true;
        }
        catch (Exception fault) when (fault is RabbitMQClientException or IOException or TimeoutException)
        {
            BrokerLog.BusWaits(logger, BrokerFault.Describe(fault, options));
            return false;
        }
    }
}
