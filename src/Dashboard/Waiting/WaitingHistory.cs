using QueueWorkers.Monitoring;

namespace Orders.Dashboard.Waiting;

/// <summary>
/// Remembers for two minutes how many messages waited for each step: from that follow whether the number grows, and
/// when it is gone. Retries come in waves, and what is being tried waits for nothing: the peaks of the two halves are
/// compared, and not two moments.
/// </summary>
/// <param name="age">From which age of the oldest message on it needs attention.</param>
/// <param name="rises">After how many looks with a higher number it does, if it has really grown.</param>
internal sealed class WaitingHistory(TimeSpan age, int rises)
{
    private static readonly TimeSpan Kept = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan Fewest = TimeSpan.FromSeconds(20);

    // From the outbox to the queue, or back: longer than that takes, and than the broker's figures are old.
    private static readonly TimeSpan Lingers = TimeSpan.FromSeconds(15);

    // Noise is no growth: 3, 4, 3, 5 is not, nor is a tenth.
    private const int LeastGrowth = 5;
    private const double LeastGrowthShare = 0.2;

    private readonly Dictionary<string, Past> _steps = [];

    /// <summary>Adds a look.</summary>
    /// <param name="now">What waits.</param>
    /// <param name="at">When that is so.</param>
    /// <param name="isBusy">Whether a step's queue has messages, ready or in progress: they may be those that waited.
    /// An attempt at a dependency that hangs takes as long as its time limit.</param>
    /// <returns>What waits, by step; also what has waited a moment ago.</returns>
    public IReadOnlyDictionary<string, StepWaiting> Add(
        IReadOnlyList<WaitingMessages> now,
        DateTimeOffset at,
        Func<string, bool> isBusy
    )
    {
        var parts = now.ToLookup(w => w.Step);
        foreach (var step in parts.Select(p => p.Key))
            _steps.TryAdd(step, new Past());
        var waiting = new Dictionary<string, StepWaiting>();
        foreach (var (step, past) in _steps)
        {
            var seen = new StepWaiting(step, at, [.. parts[step].OrderByDescending(p => p.Count)]);
            past.Looks.Enqueue((at, seen.Count));
            while (at - past.Looks.Peek().At > Kept)
                past.Looks.Dequeue();
            var (falls, grows) = Trend([.. past.Looks]);
            // A count that was cut off says nothing about its growth.
            seen = seen with
            {
                Falls = seen.IsLimited ? null : falls,
                IsGrowing = !seen.IsLimited && grows,
            };
            if (IsLate(seen, at))
                (past.Late, past.TriedAt) = (seen, at);
            // A queue that is never empty says nothing about those that waited: it counts for a while only.
            else if (at - past.Late?.At <= Kept && isBusy(step))
                past.TriedAt = at;
            if (at - past.TriedAt > Lingers)
                past.Late = null;
            seen = seen with { Late = past.Late };
            if (seen.Count > 0 || seen.Late is not null)
                waiting[step] = seen;
        }

        var over = _steps.Where(s => s.Value.Late is null && s.Value.Looks.All(l => l.Count == 0)).Select(s => s.Key);
        foreach (var step in over.ToArray())
            _steps.Remove(step);
        return waiting;
    }

    // Subjects wait for a required step. What nobody waits for (a notification of a client whose address is broken) is
    // retried for days, and only its growth tells something new.
    // Of more than were counted, the oldest may be any age and the number may grow: that itself needs attention.
    private bool IsLate(StepWaiting seen, DateTimeOffset at) =>
        seen.Count > 0 && (seen.IsGrowing || (seen.IsRequired && (seen.IsLimited || at - seen.Since > age)));

    private (double? Falls, bool Grows) Trend((DateTimeOffset At, long Count)[] looks)
    {
        var span = looks[^1].At - looks[0].At;
        if (span < Fewest)
            return (null, false);
        var middle = looks[0].At + (span / 2);
        var halves = looks.ToLookup(l => l.At > middle, l => l.Count);
        var (before, after) = (halves[false].Max(), halves[true].Max());
        var isReal =
            after >= before + Math.Max(LeastGrowth, before * LeastGrowthShare)
            && halves[true].Min() > halves[false].Min();
        var risen = looks.Zip(looks.Skip(1)).Count(pair => pair.Second.Count > pair.First.Count);
        return ((before - after) / (span.TotalSeconds / 2), isReal && risen >= rises);
    }

    private sealed class Past
    {
        public Queue<(DateTimeOffset At, long Count)> Looks { get; } = [];

        public StepWaiting? Late { get; set; }

        // When those that were late last waited, or may have been tried.
        public DateTimeOffset TriedAt { get; set; }
    }
}
