using Microsoft.Extensions.Hosting;
using Orders.Infrastructure.Hosting;

namespace Orders.ZooWorker;

/// <summary>A background loop that ends although nobody asked; added by <c>Zoo__Lemming</c>, which says how: <c>returns</c>, <c>throws</c>, or <c>loop</c> for one without a service.</summary>
internal sealed class Lemming(string end) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        if (end == "returns")
            return;
        if (end == "throws")
            throw new InvalidOperationException("over the cliff");
        await BackgroundLoop.Run("lemmings", () => throw new InvalidOperationException("over the cliff"));
    }
}
