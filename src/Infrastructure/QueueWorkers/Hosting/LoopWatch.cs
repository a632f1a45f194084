using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace QueueWorkers.Hosting;

/// <summary>
/// Watches the loops of all hosted services. One that ends while the process is to go on, by an exception or without
/// one, stops the process: what is under way comes to its end, and the exit code is 1, so that whoever started the
/// process starts a new one. A process that went on without its relay, say, would accept orders that never leave it.
/// </summary>
internal sealed partial class LoopWatch(
    IServiceProvider services,
    IHostApplicationLifetime lifetime,
    ExitDeadline deadline,
    ILogger<LoopWatch> logger
) : IHostedLifecycleService
{
    private const int Failed = 1;

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    // Only now has every service begun its loop.
    public Task StartedAsync(CancellationToken cancellationToken)
    {
        foreach (var service in services.GetServices<IHostedService>().OfType<BackgroundService>())
        {
            if (service.ExecuteTask is { } loop)
                _ = WatchAsync(service.GetType().Name, loop);
        }

        return Task.CompletedTask;
    }

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private async Task WatchAsync(string name, Task loop)
    {
        await loop.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        // The host itself stops when a loop has thrown, perhaps before this line; when it was asked to stop, a loop
        // that ends has not thrown.
        if (lifetime.ApplicationStopping.IsCancellationRequested && !loop.IsFaulted)
            return;
        Ended(logger, name, loop.Exception?.InnerException?.Message ?? "it returned", loop.Exception?.InnerException);
        Environment.ExitCode = Failed;
        deadline.Begin(Failed);
        lifetime.StopApplication();
    }

    [LoggerMessage(
        1100,
        LogLevel.Critical,
        "Background loop ended unexpectedly, the process stops with exit code 1 so that a new one takes over: {Service}. {Reason}"
    )]
    private static partial void Ended(ILogger logger, string service, string reason, Exception? fault);
}
