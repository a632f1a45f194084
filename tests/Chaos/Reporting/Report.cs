using Orders.Chaos.Checking;
using Orders.Chaos.Clients;
using Orders.Chaos.Planning;
using Orders.Chaos.Running;

namespace Orders.Chaos.Reporting;

/// <summary>What a run has shown.</summary>
public sealed record Report(
    ChaosOptions Options,
    Scenario Scenario,
    IReadOnlyList<HistoryEvent> History,
    IReadOnlyList<Recovery> Recoveries,
    Findings Findings,
    TimeSpan? Drained,
    IReadOnlyList<Sample> Samples,
    TimeSpan Took
)
{
    /// <summary>What people did to the system.</summary>
    public Operations Operations { get; init; } = Operations.None;

    /// <summary>What still moved when the system did not come to rest; empty when it did.</summary>
    public IReadOnlyList<MovingPart> Moving { get; init; } = [];

    /// <summary>The same after all that was dead-lettered had been redriven.</summary>
    public IReadOnlyList<MovingPart> MovingAfterRedrives { get; init; } = [];

    /// <summary>Orders answered 2xx.</summary>
    public int Accepted { get; } = Count(History, Outcome.Accepted);

    /// <summary>Orders answered 4xx, as they had to be.</summary>
    public int Refused { get; } = Count(History, Outcome.Refused);

    /// <summary>Orders without an answer in the end.</summary>
    public int Unknown { get; } = Count(History, Outcome.Unknown);

    /// <summary>First requests of an order, and how many of them got the answer they deserve.</summary>
    public (int Asked, int Answered) AtFirstTry { get; } =
        (
            History.Count(e => e is { Event: HistoryEvent.Invoked, Try: 1 }),
            History.Count(e => e is { Event: HistoryEvent.Ok or HistoryEvent.Failed, Try: 1 })
        );

    /// <summary>Requests made while neither API nor database was hit, and how many of them were answered.</summary>
    public (int Asked, int Answered) WithApiAndDatabaseUp { get; } = Available(History, Recoveries);

    /// <summary>Whether the run shows what it has to.</summary>
    public bool IsGood =>
        Findings.Hold
        && (!Scenario.MustAcceptAll || AtFirstTry.Asked == AtFirstTry.Answered)
        && (!Scenario.MustStayFlat || Flatness.Of(Samples).All(f => f.IsFlat));

    private static int Count(IReadOnlyList<HistoryEvent> history, Outcome outcome) =>
        Clients.History.Fold(history).Count(o => o.Outcome == outcome);

    private static (int, int) Available(IReadOnlyList<HistoryEvent> history, IReadOnlyList<Recovery> recoveries)
    {
        var away = recoveries
            .Where(r => r.Times.Fault.Targets.Intersect(["api", "postgres"]).Any())
            .Select(r => (From: r.Times.Injected, To: r.Times.Healed + (r.After ?? TimeSpan.Zero)))
            .ToArray();
        var begun = history.Where(e => e.Event == HistoryEvent.Invoked).ToDictionary(e => (e.Key, e.Try), e => e.At);
        var ended = history
            .Where(e => e.Event != HistoryEvent.Invoked)
            .Where(e => !away.Any(w => begun[(e.Key, e.Try)] < w.To && e.At > w.From))
            .ToArray();
        return (ended.Length, ended.Count(e => e.Event is HistoryEvent.Ok or HistoryEvent.Failed));
    }
}
