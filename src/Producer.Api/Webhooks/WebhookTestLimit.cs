using System.Collections.Concurrent;
using Orders.Infrastructure.Webhooks;
using Orders.Producer.Api.Auth;
using Orders.Producer.Api.Limits;
using Orders.Producer.Api.Problems;

namespace Orders.Producer.Api.Webhooks;

/// <summary>
/// How many test events each client may send: one for each of its web hooks at once, and as many in a minute. A flood
/// of them would stand before the deliveries of others. It counts in this process only.
/// </summary>
internal sealed class WebhookTestLimit(TimeProvider time)
{
    private const int InMinute = WebhookRegistry.MostOfClient;

    // As many as there are clients: only a valid key gets here.
    private readonly ConcurrentDictionary<string, TokenBucket> _buckets = new();

    /// <summary>Charges a client for a test event.</summary>
    /// <returns>The refusal when the client has sent too many; null when it may go on.</returns>
    public Problem? Charge(Caller caller)
    {
        var now = time.GetTimestamp();
        var bucket = _buckets.GetOrAdd(
            caller.ClientId,
            _ => new TokenBucket(InMinute / 60.0, InMinute, now, time.TimestampFrequency)
        );
        return bucket.TryTake(1, now) is { } wait
            ? new Problem(
                ProblemKinds.TooManyRequests,
                $"A client may send {InMinute} test events in a minute; wait as long as Retry-After says.",
                RetryAfter: wait
            )
            : null;
    }
}
