using QueueWorkers.Steps;

namespace Orders.Workers.Webhooks;

/// <summary>A client's web hook did not take a delivery; a transient fault.</summary>
/// <param name="message">What was found.</param>
/// <param name="retryAfter">What it asked for by <c>Retry-After</c>, limited; null when nothing.</param>
public sealed class WebhookFailedException(string message, TimeSpan? retryAfter = null)
    : Exception(message),
        IRetryAfter
{
    /// <inheritdoc />
    public TimeSpan? RetryAfter => retryAfter;
}
