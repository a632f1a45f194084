using System.Globalization;

namespace Orders.Chaos.Running;

/// <summary>Memory of each container and size of each table over a run.</summary>
public sealed class Sampler(Installation installation)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(15);

    private readonly List<Sample> _samples = [];

    /// <summary>The samples so far.</summary>
    public IReadOnlyList<Sample> Samples => _samples;

    /// <summary>Takes samples until it is cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(Interval);
        try
        {
            do _samples.Add(await TakeAsync(cancellationToken));
            while (await timer.WaitForNextTickAsync(cancellationToken));
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The run is over; the samples stay.
        }
    }

    private async Task<Sample> TakeAsync(CancellationToken cancellationToken)
    {
        var memory = (await installation.AllAsync())
            .Where(c => c.State == "running")
            .Select(c => c.Container)
            .ToArray();
        var lines = (
            await Docker.RunAsync(["stats", "--no-stream", "--format", "{{.Name}}\t{{.MemUsage}}", .. memory])
        ).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var tables = new Dictionary<string, double>();
        await using var command = installation.Database.CreateCommand(
            "select relname::text, pg_total_relation_size(oid) / 1048576.0 from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace"
        );
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            tables[reader.GetString(0)] = (double)reader.GetDecimal(1);
        return new Sample(
            DateTimeOffset.UtcNow,
            lines.Select(l => l.Split('\t')).ToDictionary(f => f[0], f => Megabytes(f[1])),
            tables
        );
    }

    // "103.4MiB / 512MiB"
    private static double Megabytes(string usage)
    {
        var used = usage.Split(" / ")[0];
        var digits = used.TakeWhile(c => char.IsDigit(c) || c == '.').Count();
        var value = double.Parse(used.AsSpan(0, digits), CultureInfo.InvariantCulture);
        return used[digits..] switch
        {
            "GiB" => value * 1024,
            "KiB" => value / 1024,
            "B" => value / 1048576,
            _ => value,
        };
    }
}

/// <summary>One look.</summary>
/// <param name="At">When.</param>
/// <param name="Memory">MiB by container.</param>
/// <param name="Tables">MiB by table, its indexes included.</param>
public sealed record Sample(
    DateTimeOffset At,
    IReadOnlyDictionary<string, double> Memory,
    IReadOnlyDictionary<string, double> Tables
);

/// <summary>
/// Whether memory grows: the middle third of a run against its last third. The first third is the warm-up, in which
/// pools fill and code is compiled.
/// </summary>
public static class Flatness
{
    // A collection that is about to run makes some difference; a leak at this many orders makes far more.
    private const double MostGrowth = 1.15;
    private const double SmallMegabytes = 20;

    /// <summary>
    /// Whether a container is the world outside, which writes down every mail and call for the checker: it is no part
    /// of the system, and has to grow.
    /// </summary>
    public static bool KeepsLedgers(string container) => container.Contains("outside-world", StringComparison.Ordinal);

    /// <summary>Mean MiB of the two thirds, and whether the second is within bounds, by container.</summary>
    public static IReadOnlyList<(string Container, double Middle, double Last, bool IsFlat)> Of(
        IReadOnlyList<Sample> samples
    )
    {
        if (samples.Count < 6)
            return [];
        var third = samples.Count / 3;
        return
        [
            .. samples[^1]
                .Memory.Keys.Order()
                .Select(container =>
                {
                    var middle = Mean(samples.Skip(third).Take(third), container);
                    var last = Mean(samples.Skip(2 * third), container);
                    return (
                        container,
                        middle,
                        last,
                        KeepsLedgers(container) || last <= Math.Max(middle * MostGrowth, middle + SmallMegabytes)
                    );
                }),
        ];
    }

    private static double Mean(IEnumerable<Sample> samples, string container) =>
        samples.Where(s => s.Memory.ContainsKey(container)).Average(s => s.Memory[container]);
}
