namespace Orders.Infrastructure.Hosting;

/// <summary>
/// How many worker processes share the database, as this one last saw. Whoever polls the database for what any process may do asks less often the more of them there are, each at moments of its
/// own: all together ask as often as one did, and the work is found as soon.
/// </summary>
public sealed class Fleet
{
    private const double Jitter = 0.2;

    private int _processes = 1;

    /// <summary>The living worker processes; 1 until one knows more.</summary>
    public int Processes
    {
        get => Volatile.Read(ref _processes);
        set => Volatile.Write(ref _processes, Math.Max(1, value));
    }

    /// <summary>How long this process waits between two polls.</summary>
    /// <param name="share">Its share: all processes together poll once in this time, whatever their number.</param>
    /// <param name="shortest">The least, which holds while they are few.</param>
    /// <param name="longest">The most, however many they are.</param>
    public TimeSpan Pace(TimeSpan share, TimeSpan shortest, TimeSpan longest)
    {
        var wait = share * Processes;
        if (wait <= shortest)
            return shortest;
        // Spread, or processes that were started together would poll together for ever.
        wait *= 1 - Jitter + (Random.Shared.NextDouble() * 2 * Jitter);
        return wait < longest ? wait : longest;
    }
}
