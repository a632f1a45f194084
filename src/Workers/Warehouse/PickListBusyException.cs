using QueueWorkers.Steps;

namespace Orders.Workers.Warehouse;

/// <summary>
/// The warehouse is there, but does not take this one call now: a call with the same key is in progress, or something
/// of this order is locked. A transient fault that says nothing about the dependency and opens no breaker.
/// </summary>
/// <param name="message">What was found.</param>
/// <param name="retryAfter">What it asked for by <c>Retry-After</c>, limited; null when nothing.</param>
public sealed class PickListBusyException(string message, TimeSpan? retryAfter) : Exception(message), IRetryAfter
{
    /// <inheritdoc />
    public TimeSpan? RetryAfter => retryAfter;
}
