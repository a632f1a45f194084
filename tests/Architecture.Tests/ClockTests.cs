using System.Text.RegularExpressions;

namespace Orders.Architecture.Tests;

/// <summary>
/// A time that another machine compares with its own comes from the database's clock, so nothing in <c>src</c> asks the
/// machine's.
/// </summary>
public sealed partial class ClockTests
{
    // And why.
    private static readonly Dictionary<string, string> Exempt = new()
    {
        ["src/Infrastructure/QueueWorkers/Clocks/"] = "the clock itself",
        ["src/Infrastructure/QueueWorkers/Outbox/EnvelopeTimes.cs"] = "moves stamps of the machine's clock",
        ["src/Infrastructure/QueueWorkers/Deployment/ServerWait.cs"] = "waits in this process, before any connection",
    };

    [Test]
    public void Nothing_asks_the_machine_for_the_time_of_day() =>
        Assert.That(
            Repository
                .Sources("src")
                .Where(path => !Exempt.Keys.Any(e => path.Contains(e, StringComparison.Ordinal)))
                .SelectMany(path => Machine().Matches(Repository.Read(path)).Select(m => $"{path}: {m.Value}")),
            Is.Empty,
            "use DatabaseClock.UtcNow, DatabaseClock.NewId() or DatabaseClock.Provider"
        );

    [GeneratedRegex(@"\bDateTime(Offset)?\.(Utc)?Now\b|\bGuid\.CreateVersion7\(\)|\bTimeProvider\.System\b")]
    private static partial Regex Machine();
}
