using System.Collections.Immutable;
using Orders.Dashboard.Viewing;
using Orders.Dashboard.Waiting;
using QueueWorkers.Monitoring;

namespace Orders.Dashboard.Live;

/// <summary>A queue, with what follows from its figures.</summary>
/// <param name="Figures">What the broker says.</param>
/// <param name="Depths">Waiting messages, second by second, of the last minute.</param>
/// <param name="Oldest">How long the oldest waiting message has been there; null when none waits or it came before we
/// looked.</param>
public sealed record QueueState(QueueFigures Figures, ImmutableArray<long> Depths, TimeSpan? Oldest)
{
    private static readonly string[] DeadLetterSuffixes = ["_error", "_skipped"];

    /// <summary>
    /// The same, of messages that came before we looked too: they have been there since then at least. Zero when none
    /// waits.
    /// </summary>
    public TimeSpan AtLeast { get; init; }

    /// <summary>Whether an operator has paused its step.</summary>
    public bool Paused { get; init; }

    /// <summary>The dependency of its step that is down; null when none is.</summary>
    public string? Lacks { get; init; }

    /// <summary>What waits for its step in the outbox; null when nothing does.</summary>
    public StepWaiting? Waiting { get; init; }

    /// <summary>Messages of its step that stand in the dead-letter queue.</summary>
    public long Failed { get; init; }

    /// <summary>Its name.</summary>
    public string Name => Figures.Name;

    /// <summary>Whether messages are only kept here for an operator, so that nobody is meant to consume.</summary>
    public bool HoldsDeadLetters =>
        Name == "unrouted" || DeadLetterSuffixes.Any(suffix => Name.EndsWith(suffix, StringComparison.Ordinal));

    /// <summary>Net growth a second over the last minute.</summary>
    public double Growth => Depths.Length < 10 ? 0 : (Depths[^1] - Depths[0]) / (double)(Depths.Length - 1);

    /// <summary>Whether the backlog has grown steadily and is more than what is under way anyway.</summary>
    public bool IsGrowing => !HoldsDeadLetters && Figures.Ready > 100 && Growth > 1;

    /// <summary>A word and its colour.</summary>
    public (string Word, string State) State =>
        this switch
        {
            { HoldsDeadLetters: true, Figures.Ready: 0 } => ("Empty", ""),
            { HoldsDeadLetters: true } => ("Holds failures", "bad"),
            { Paused: true } => ("Paused", "warn"),
            { Lacks: { } dependency } => ($"{dependency} is down", "bad"),
            { Figures: { Consumers: 0, Ready: > 0 } } => ("No workers", "bad"),
            { Figures.Consumers: 0 } => ("No workers", "warn"),
            { IsGrowing: true } => ("Growing", "warn"),
            { Oldest.TotalSeconds: > 60 } => ("Late", "bad"),
            { Waiting: { Late: not null } waiting } => (waiting.Word, "warn"),
            _ => ("Running", "good"),
        };

    /// <summary>When the backlog will be gone, or what it takes.</summary>
    public string Forecast
    {
        get
        {
            if (HoldsDeadLetters || Figures.Ready == 0)
                return Texts.None;
            if (Paused)
                return "paused";
            if (Lacks is { } dependency)
                return $"waits for {dependency}";
            if (Figures.Consumers == 0)
                return "no workers";
            if (IsGrowing)
                return Needs is { } more ? $"needs about {more} more" : "growing";
            var shrinks = Math.Max(-Growth, Figures.OutPerSecond - Figures.InPerSecond);
            return shrinks > 0.1
                ? Texts.Duration(TimeSpan.FromSeconds(Math.Min(Figures.Ready / shrinks, 1e7)))
                : Texts.None;
        }
    }

    /// <summary>
    /// How many more workers would keep up with what comes in; null when nothing comes out to measure by.
    /// </summary>
    public int? Needs =>
        Figures is { Consumers: > 0, OutPerSecond: > 0.1 }
            ? Math.Max(
                1,
                (int)
                    Math.Ceiling(
                        (Figures.InPerSecond - Figures.OutPerSecond) / (Figures.OutPerSecond / Figures.Consumers)
                    )
            )
            : null;
}
