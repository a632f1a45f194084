using System.Collections.Concurrent;
using System.Globalization;
using Orders.Chaos.Checking;

namespace Orders.Chaos.Running;

/// <summary>Scales a worker out and in again, as an operator does with <c>docker compose up --scale</c>.</summary>
internal sealed class Replicas(Installation installation)
{
    // What was there before: everything else is additional.
    private readonly ConcurrentDictionary<string, string[]> _before = new();

    /// <summary>Starts additional containers of a service, and leaves those that are there alone.</summary>
    public async Task ScaleOutAsync(string service, int replicas)
    {
        _before[service] = await installation.ContainersAsync(service);
        await Docker.RunAsync(
            "compose",
            "up",
            "--detach",
            "--no-deps",
            "--no-recreate",
            "--no-build",
            "--scale",
            string.Create(CultureInfo.InvariantCulture, $"{service}={replicas}"),
            service
        );
    }

    /// <summary>Asks the additional containers to end, and removes them.</summary>
    /// <returns>How they ended.</returns>
    public async Task<IReadOnlyList<WorkerStop>> ScaleInAsync(string service)
    {
        if (!_before.TryGetValue(service, out var before))
            return [];
        var additional = (await installation.ContainersAsync(service)).Except(before);
        var stops = await Task.WhenAll(additional.Select(container => StopAsync(service, container)));
        _before.TryRemove(service, out _);
        return stops;
    }

    /// <summary>Scales in whatever is still scaled out.</summary>
    public async Task HealAsync()
    {
        foreach (var service in _before.Keys)
            await ScaleInAsync(service);
    }

    private static async Task<WorkerStop> StopAsync(string service, string container)
    {
        var (code, took) = await RollingRestart.StopAsync(container);
        await Docker.RunAsync("rm", "--force", container);
        return new WorkerStop(service, code, took, null);
    }
}
