using System.Text.RegularExpressions;

namespace Orders.Architecture.Tests;

/// <summary>
/// Work that nobody awaits can end without anybody noticing: it is a hosted service, or it runs in a
/// <c>BackgroundLoop</c>, or it stands here with the reason why its end does no harm.
/// </summary>
public sealed partial class BackgroundWorkTests
{
    private static readonly Dictionary<string, string> Harmless = new()
    {
        ["src/Infrastructure/QueueWorkers/Background/BackgroundLoop.cs"] = "it is the guard",
        ["src/Infrastructure/QueueWorkers/Hosting/LoopWatch.cs"] =
            "awaits loops without throwing, logs, and stops the process",
        ["src/Infrastructure/QueueWorkers/Hosting/DatabaseHealth.cs"] =
            "awaited by everybody who asks meanwhile, and asked anew afterwards",
        ["src/Infrastructure/QueueWorkers/Hosting/ExitDeadline.cs"] = "a thread that sleeps and exits",
        ["src/Infrastructure/QueueWorkers/Failpoints/FailpointConsole.cs"] = "test builds only",
        ["src/Infrastructure/QueueWorkers/Consuming/Limits/TimeLimit.cs"] =
            "the run is awaited; one that is abandoned is only logged at its end",
        ["src/Infrastructure/QueueWorkers/Consuming/Acknowledgement/SharedAcks.cs"] =
            "hands every fault to those who wait for their ack",
        ["src/Infrastructure/QueueWorkers/Leases/RowLease.cs"] =
            "awaited when the lease is released; a fault that no try repairs ends the lease first",
        ["src/Infrastructure/QueueWorkers/Messaging/SteadyBusStart.cs"] =
            "awaited when the bus is stopped; a step that does not consume is noticed by ConsumingWatch",
        ["src/Infrastructure/QueueWorkers/Operators/OperatorSessions.cs"] = "awaited",
        ["src/Infrastructure/QueueWorkers/Operators/Accounts/OperatorAccounts.cs"] = "awaited",
        ["src/Producer.Api/Auth/ApiKeyCache.cs"] = "hands every fault to those who wait for the answer",
        ["src/Producer.Api/Docs/DescriptionText.cs"] = "awaited by everybody who asks; made anew after a fault",
        ["src/Producer.Api/Intake/RequestBody.cs"] = "a timer that ends a read",
    };

    [Test]
    public void Nobody_starts_work_in_the_background_unguarded()
    {
        var found = Repository
            .Sources("src")
            .Where(path => Unawaited().IsMatch(Comment().Replace(Repository.Read(path), "")))
            .Order(StringComparer.Ordinal)
            .ToArray();
        Assert.That(
            found,
            Is.EquivalentTo(Harmless.Keys),
            "files that start work nobody awaits; run it by BackgroundLoop.Run, or add it here with the reason"
        );
    }

    // A task that is thrown away, begun on the pool, or kept in a field for the end; a thread; a timer.
    [GeneratedRegex(
        @"(?<!\.)\bTask\.Run\(|\bTaskFactory\b|\bnew Thread\(|\bnew Timer\(|_ = \w[\w.]*Async\(|_\w+ = \w+Async\(|async void|\.ContinueWith\(|QueueUserWorkItem"
    )]
    private static partial Regex Unawaited();

    [GeneratedRegex("//.*")]
    private static partial Regex Comment();
}
