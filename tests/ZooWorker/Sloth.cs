using Microsoft.Extensions.Hosting;

namespace Orders.ZooWorker;

/// <summary>Never comes to its end, whoever asks; added by <c>Zoo__Sloth=true</c>.</summary>
internal sealed class Sloth : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken)
    {
        // Not even asynchronously: it takes the thread that the host stops on.
        Thread.Sleep(Timeout.Infinite);
        return Task.CompletedTask;
    }
}
