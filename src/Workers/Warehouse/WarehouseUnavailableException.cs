using QueueWorkers.Steps;

namespace Orders.Workers.Warehouse;

/// <summary>The warehouse takes no pick list now, whoever's it is; a transient fault of the dependency.</summary>
/// <param name="message">What was found.</param>
/// <param name="retryAfter">What it asked for by <c>Retry-After</c>, limited; null when nothing.</param>
public sealed class WarehouseUnavailableException(string message, TimeSpan? retryAfter = null)
    : Exception(message),
        IRetryAfter
{
    /// <inheritdoc />
    public TimeSpan? RetryAfter => retryAfter;
}
