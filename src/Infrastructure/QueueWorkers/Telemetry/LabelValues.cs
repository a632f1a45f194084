using System.Collections.Concurrent;

namespace QueueWorkers.Telemetry;

/// <summary>
/// Bounds a label whose values are not in a catalogue, such as the types of faults. The first values of the process are
/// shown as they are; all later ones are <see cref="Other"/>. Prometheus keeps a series for each value for as long as it
/// keeps anything, so a label without a bound fills its memory.
/// </summary>
/// <param name="most">So many values are shown.</param>
public sealed class LabelValues(int most = LabelValues.Usual)
{
    /// <summary>How many values are shown unless a label says otherwise.</summary>
    public const int Usual = 50;

    /// <summary>What stands for all values beyond the bound, and for those that are too long.</summary>
    public const string Other = "other";

    private const int Longest = 200;

    private readonly ConcurrentDictionary<string, byte> _shown = new(StringComparer.Ordinal);
    private readonly Lock _adding = new();
    private int _count;

    /// <summary>The value that the label may have.</summary>
    public string Of(string? value)
    {
        if (value is null or { Length: 0 or > Longest })
            return Other;
        if (_shown.ContainsKey(value))
            return value;
        // Only new values come here, and a process has few of them. After the bound no lock is taken.
        if (Volatile.Read(ref _count) >= most)
            return Other;
        lock (_adding)
        {
            if (_count >= most || !_shown.TryAdd(value, 0))
                return _shown.ContainsKey(value) ? value : Other;
            _count++;
            return value;
        }
    }
}
