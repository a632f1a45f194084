using QueueWorkers.Monitoring;

namespace Orders.Dashboard.Waiting;

/// <summary>
/// Remembers for two minutes how many messages waited for each step: from that follow whether the number grows, and
/// when it is gone. Retries come in waves, and what is being tried waits for nothing: the peaks of the two halves are
/// compared, and not two moments.
/// </summary>
/// <param name="age">From which age of the oldest message on it needs attention.</param>
/// <param name="rises">After how many looks with a higher number it does.</param>
internal sealed class WaitingHistory(TimeSpan age, int rises)
{
    private static readonly TimeSpan Kept = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan Fewest = TimeSpan.FromSeconds(20);

    // An attempt under way, and its message is back in the outbox: longer than most attempts take.
    private static readonly TimeSpan Lingers = TimeSpan.FromSeconds(15);

    private readonly Dictionary<string, Past> _steps = [];

    /// <summary>Adds a look.</summary>
    /// <returns>What waits, by step; also what has waited a moment ago.</returns>
    public IReadOnlyDictionary<string, StepWaiting> Add(IReadOnlyList<WaitingMessages> now, DateTimeOffset at)
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
            var measured = !seen.Parts.Any(p => p.Count >= WaitingReader.MostCounted);
            seen = seen with { Falls = measured ? falls : null, IsGrowing = measured && grows };
            if (IsLate(seen, at))
                past.Late = seen;
            if (at - past.Late?.At > Lingers)
                past.Late = null;
            seen = seen with { Late = past.Late };
            if (seen.Count > 0 || seen.Late is not null)
                waiting[step] = seen;
        }

        foreach (var step in _steps.Where(s => s.Value.Looks.All(l => l.Count == 0)).Select(s => s.Key).ToArray())
            _steps.Remove(step);
        return waiting;
    }

    // Subjects wait for a required step. What nobody waits for (a notification of a client whose address is broken) is
    // retried for days, and only its growth tells something new.
    private bool IsLate(StepWaiting seen, DateTimeOffset at) =>
        seen.Count > 0 && (seen.IsGrowing || (seen.Parts.Any(p => p.IsRequired) && at - seen.Since > age));

    private (double? Falls, bool Grows) Trend((DateTimeOffset At, long Count)[] looks)
    {
        var span = looks[^1].At - looks[0].At;
        if (span < Fewest)
            return (null, false);
        var middle = looks[0].At + (span / 2);
        var before = looks.Where(l => l.At <= middle).Max(l => l.Count);
        var after = looks.Where(l => l.At > middle).Max(l => l.Count);
        var risen = looks.Zip(looks.Skip(1)).Count(pair => pair.Second.Count > pair.First.Count);
        return ((before - after) / (span.TotalSeconds / 2), after > before && risen >= rises);
    }

    private sealed class Past
    {
        public Queue<(DateTimeOffset At, long Count)> Looks { get; } = [];

        public StepWaiting? Late { get; set; }
    }
}
