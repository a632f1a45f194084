using System.Collections.Immutable;
using Orders.Dashboard.Viewing;
using QueueWorkers.Monitoring;

namespace Orders.Dashboard.Waiting;

/// <summary>What waits for one step besides its queue: for its next attempt, or deferred.</summary>
/// <param name="Step">The step.</param>
/// <param name="At">When that was so.</param>
/// <param name="Parts">By cause, the largest first.</param>
public sealed record StepWaiting(string Step, DateTimeOffset At, ImmutableArray<WaitingMessages> Parts)
{
    // Slower than this, "done in" would be a guess.
    private const double Slowest = 0.01;

    /// <summary>By how many messages a second the number falls; null when that cannot be told yet.</summary>
    public double? Falls { get; init; }

    /// <summary>Whether the number has grown look after look, and by more than noise.</summary>
    public bool IsGrowing { get; init; }

    /// <summary>
    /// The look that makes it an item of "needs attention": this one, or an earlier one, because messages that are
    /// being tried do not wait for that moment. Null when it is none.
    /// </summary>
    public StepWaiting? Late { get; init; }

    /// <summary>What they do, in a word that agrees with the counts.</summary>
    public string Word =>
        this switch
        {
            { Count: 0 } => "Retrying",
            { Retry: 0 } => "Deferred",
            _ => "Waits for retry",
        };

    /// <summary>Messages whose last attempt failed.</summary>
    public long Retry => Parts.Where(p => p.Cause == WaitingMessages.Redelivery).Sum(p => p.Count);

    /// <summary>Messages that were put off without an attempt.</summary>
    public long Deferred => Count - Retry;

    /// <summary>All of them.</summary>
    public long Count => Parts.Sum(p => p.Count);

    /// <summary>The count as text: it was only counted up to a limit.</summary>
    public string CountText => Text(Parts);

    /// <summary>The messages whose last attempt failed, as text.</summary>
    public string RetryText => Text(Parts.Where(p => p.Cause == WaitingMessages.Redelivery));

    /// <summary>The deferred messages, as text.</summary>
    public string DeferredText => Text(Parts.Where(p => p.Cause != WaitingMessages.Redelivery));

    /// <summary>How many wait for which cause: "23 after a failed attempt, 4 by a rate limit".</summary>
    public string CausesText =>
        string.Join(
            ", ",
            Parts.Select(p => $"{Texts.Count(p.Count, WaitingReader.MostCounted)} {WaitingWords.Of(p.Cause)}")
        );

    /// <summary>Whether subjects wait for some of them.</summary>
    public bool IsRequired => Parts.Any(p => p.IsRequired);

    /// <summary>Whether there are more than were counted: neither age nor growth are known.</summary>
    public bool IsLimited => Parts.Any(p => p.IsLimited);

    /// <summary>Since when the oldest waits.</summary>
    public DateTimeOffset? Since => Parts.Min(p => p.Since);

    /// <summary>When the next is tried.</summary>
    public DateTimeOffset? NextAt => Parts.IsEmpty ? null : Parts.Min(p => p.NextAt);

    /// <summary>The last fault that is known.</summary>
    public string? LastFault => Parts.Select(p => p.LastFault).FirstOrDefault(f => f is not null);

    /// <summary>When none of them waits any more at the present rate, in words.</summary>
    /// <param name="paused">Whether the step is paused.</param>
    /// <param name="lacks">The dependency that is down; null when none is.</param>
    public string Forecast(bool paused, DownDependency? lacks) =>
        this switch
        {
            { Count: 0 } => Texts.None,
            _ when paused => "does not end while the step is paused",
            _ when lacks is { RetryAt: { } retry } =>
                $"does not end while {lacks.Name} is down; it is tried again {Soon(retry)}",
            _ when lacks is not null => $"does not end while {lacks.Name} is down",
            { IsGrowing: true } => "grows, and does not end at this rate",
            { Falls: > Slowest } => Ends(TimeSpan.FromSeconds(Math.Min(Count / Falls.Value, 1e7))),
            { Falls: null } => $"too early for a forecast; the next attempt follows {Soon(NextAt!.Value)}",
            _ => $"does not end at this rate; the next attempt follows {Soon(NextAt!.Value)}",
        };

    /// <summary>The forecast of a step that is not paused, also in a moment in which all that waited are being tried.</summary>
    public string ForecastOrTried(DownDependency? lacks) =>
        Count == 0 ? "they are being tried now" : Forecast(paused: false, lacks);

    // A message that is tried in 14 s is not done before.
    private string Ends(TimeSpan atThisRate) =>
        Parts.Max(p => p.LatestAt) - At is var latest && latest > atThisRate
            ? $"done in about {Texts.Duration(latest)}, after the last of these attempts"
            : $"done in about {Texts.Duration(atThisRate)} at the present rate";

    private string Soon(DateTimeOffset at) => at > At ? $"in {Texts.Duration(at - At)}" : "now";

    /// <summary>How many messages that is, as text: with "+" when one count is limited.</summary>
    public static string Text(IEnumerable<WaitingMessages> parts)
    {
        var counted = parts.ToArray();
        var all = Texts.Count(counted.Sum(p => p.Count));
        return counted.Any(p => p.IsLimited) ? $"{all}+" : all;
    }
}
