using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using QueueWorkers.Outbox.Relaying;

namespace Orders.Testing;

/// <summary>
/// A worker process, played inside the test's process: relay, bus and steps, started and stopped like the real one.
/// </summary>
public sealed class RunningHost(IHost host, LogCapture log) : IAsyncDisposable
{
    private bool _stopped;

    /// <summary>Its services.</summary>
    public IServiceProvider Services => host.Services;

    /// <summary>What it has logged.</summary>
    public LogCapture Log => log;

    /// <summary>The feed of its relay.</summary>
    public RelayFeed Feed => Services.GetRequiredService<RelayFeed>();

    /// <summary>Starts it and waits until its endpoints consume.</summary>
    public async Task<RunningHost> StartAsync()
    {
        // MassTransit keeps its log context in the flow of execution: a second host started in the same flow would log
        // into the first one's, long disposed.
        Task start;
        using (ExecutionContext.SuppressFlow())
            start = Task.Run(() => host.StartAsync());
        await start;
        if (Services.GetService<IBusControl>() is { } bus)
        {
            try
            {
                await Eventually.Is(
                    () => bus.CheckHealth().Status == BusHealthStatus.Healthy,
                    "every endpoint consumes, or waits for its gate to open",
                    TimeSpan.FromSeconds(60)
                );
            }
            catch (AssertionException)
            {
                await TestContext.Out.WriteLineAsync($"{bus.CheckHealth().Description}. The host's log:\n{log}");
                throw;
            }
        }

        return this;
    }

    /// <summary>Stops it the graceful way.</summary>
    public async Task StopAsync()
    {
        if (_stopped)
            return;
        _stopped = true;
        await Task.Run(() => host.StopAsync(CancellationToken.None));
    }

    /// <summary>Stops and disposes it.</summary>
    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        if (host is IAsyncDisposable disposable)
            await disposable.DisposeAsync();
    }
}
