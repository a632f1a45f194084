namespace QueueWorkers.Monitoring.History;

/// <summary>
/// Durations counted in slots, four to a doubling, from 1 ms to 4.5 h: percentiles of an hour can be had from its
/// minutes by adding up, which percentiles themselves cannot.
/// A percentile read from slots is at most 19 % too high.
/// </summary>
public static class DurationSlots
{
    /// <summary>How many slots there are.</summary>
    public const int Count = 96;

    /// <summary>The slot of a number of seconds, as an SQL expression.</summary>
    public static string Sql(string seconds) =>
        $"least({Count - 1}, greatest(0, ceil(4 * log(2, greatest(({seconds})::numeric * 1000, 1)))))::int";

    /// <summary>The longest duration of a slot.</summary>
    public static TimeSpan EndOf(int slot) => TimeSpan.FromMilliseconds(Math.Pow(2, slot / 4.0));

    /// <summary>The duration that a share of what was counted does not exceed; null when nothing was counted.</summary>
    public static TimeSpan? Percentile(IReadOnlyList<int> slots, double share)
    {
        var wanted = Math.Ceiling(slots.Sum(n => (long)n) * share);
        if (wanted == 0)
            return null;
        long seen = 0;
        for (var slot = 0; slot < slots.Count; slot++)
        {
            seen += slots[slot];
            if (seen >= wanted)
                return EndOf(slot);
        }

        return EndOf(slots.Count - 1);
    }

    /// <summary>Adds what one count has to another.</summary>
    public static void Add(int[] sum, IReadOnlyList<int> more)
    {
        for (var slot = 0; slot < more.Count; slot++)
            sum[slot] += more[slot];
    }
}
