namespace QueueWorkers.Steps;

/// <summary>Runs again at once, in memory, while the message stays with its worker.</summary>
/// <param name="Count">Further runs after the first.</param>
/// <param name="From">The wait before the first of them; it doubles each time.</param>
public readonly record struct Retry(int Count, TimeSpan From)
{
    /// <summary>No retry in memory.</summary>
    public static Retry None => default;

    /// <summary>Retries whose waits double.</summary>
    public static Retry Exponential(int count, TimeSpan from) => new(count, from);
}
