namespace QueueWorkers.Steps;

/// <summary>
/// Runs again later: the message waits in the outbox, holds no worker's slot and survives every restart. Each delay
/// gets up to 20 % of jitter.
/// </summary>
public sealed record Redelivery
{
    private Redelivery(IReadOnlyList<TimeSpan> delays) => Delays = delays;

    /// <summary>The wait before each further delivery.</summary>
    public IReadOnlyList<TimeSpan> Delays { get; }

    /// <summary>No redelivery: the first fault dead-letters the message.</summary>
    public static Redelivery None { get; } = new([]);

    /// <summary>One redelivery after each of the delays.</summary>
    public static Redelivery After(params TimeSpan[] delays) => new(delays);

    /// <summary>Redeliveries whose delays double.</summary>
    public static Redelivery Exponential(int count, TimeSpan from) =>
        new([.. Enumerable.Range(0, count).Select(i => from * Math.Pow(2, i))]);
}
