namespace QueueWorkers.Steps;

/// <summary>
/// Implemented by the exception of a transient fault that says when to come again, such as a reply with
/// <c>Retry-After</c>. The next attempt waits that long at least; the policy's delays and its number of attempts stay
/// in force.
/// </summary>
public interface IRetryAfter
{
    /// <summary>
    /// The least wait until the next attempt; null when the fault names none. Limit it before you set it: nobody else
    /// does.
    /// </summary>
    TimeSpan? RetryAfter { get; }
}
