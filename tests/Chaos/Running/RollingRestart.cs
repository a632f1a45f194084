using System.Diagnostics;
using System.Globalization;
using Orders.Chaos.Checking;

namespace Orders.Chaos.Running;

/// <summary>Restarts a worker as a deployment does: asked to end, waited for, started, waited for until it is healthy.</summary>
internal static class RollingRestart
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(250);

    /// <summary>Restarts it.</summary>
    /// <returns>How it ended and came back.</returns>
    /// <exception cref="TimeoutException">It did not become healthy again.</exception>
    public static async Task<WorkerStop> RestartAsync(string service, string container, CancellationToken cancellationToken)
    {
        var (code, took) = await StopAsync(container);
        await Docker.RunAsync("start", container);
        var watch = Stopwatch.StartNew();
        var health = "";
        while (watch.Elapsed < Patience)
        {
            health = await Docker.RunAsync("inspect", "-f", "{{.State.Health.Status}}", container);
            if (health == "healthy")
                return new WorkerStop(service, code, took, watch.Elapsed);
            await Task.Delay(Look, cancellationToken);
        }

        throw new TimeoutException($"{container} was started again and is {health} after {Patience.TotalSeconds:0} s.");
    }

    /// <summary>Asks a worker to end and waits for it.</summary>
    /// <returns>Its exit code, and how long it took.</returns>
    public static async Task<(int ExitCode, TimeSpan Took)> StopAsync(string container)
    {
        var asked = DateTimeOffset.UtcNow;
        await Docker.RunAsync("stop", "-t", "30", container);
        // By the engine's clock: the docker command itself takes its time on a machine that is busy.
        var end = (await Docker.RunAsync("inspect", "-f", "{{.State.ExitCode}} {{.State.FinishedAt}}", container)).Split(' ');
        return (int.Parse(end[0], CultureInfo.InvariantCulture), DateTimeOffset.Parse(end[1], CultureInfo.InvariantCulture) - asked);
    }
}
