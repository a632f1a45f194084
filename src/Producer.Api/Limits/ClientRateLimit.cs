using System.Collections.Concurrent;
using Orders.Producer.Api.Auth;
using Orders.Producer.Api.Problems;
using QueueWorkers.Hosting;

namespace Orders.Producer.Api.Limits;

/// <summary>
/// How many orders and requests each client may send: a bucket of tokens per client, so that one cannot hold the others
/// up. It counts in this process only; with several processes behind a balancer a client's limit is the sum.
/// </summary>
internal sealed class ClientRateLimit(RateLimitOptions options, TimeProvider time)
{
    // As many as there are clients: only a valid key gets here.
    private readonly ConcurrentDictionary<string, TokenBucket> _buckets = new();

    /// <summary>Charges a client.</summary>
    /// <param name="caller">The client.</param>
    /// <param name="count">Requests or orders; more than a full bucket counts as a full bucket.</param>
    /// <returns>The refusal when the client has sent too much; null when it may go on.</returns>
    public Problem? Charge(Caller caller, int count)
    {
        var now = time.GetTimestamp();
        if (!_buckets.TryGetValue(caller.ClientId, out var bucket))
            bucket = _buckets.GetOrAdd(
                caller.ClientId,
                _ => new TokenBucket(options.PerSecond, options.Burst, now, time.TimestampFrequency)
            );
        return bucket.TryTake(Math.Min(count, options.Burst), now) is { } wait
            ? new Problem(
                ProblemKinds.TooManyRequests,
                "Send less, or wait as long as Retry-After says.",
                RetryAfter: wait
            )
            : null;
    }
}

/// <summary>Charges each request whose caller is known.</summary>
internal sealed class RateLimiting(RequestDelegate next, ClientRateLimit limit)
{
    public Task InvokeAsync(HttpContext context) =>
        context.Features.Get<Caller>() is { } caller && limit.Charge(caller, 1) is { } refusal
            ? refusal.AnswerAsync(context)
            : next(context);
}

/// <summary>The rate of one client, section <c>Api:RateLimit</c>.</summary>
internal sealed record RateLimitOptions
{
    /// <summary>
    /// Requests of one client per second in the long run. An order in a batch counts as one request. Default: 5000.
    /// </summary>
    /// <value>requests per second</value>
    public int PerSecond { get; init; } = 5000;

    /// <summary>Requests of one client at once after a pause; at least a whole batch. Default: 10,000.</summary>
    /// <value>requests</value>
    public int Burst { get; init; } = 10_000;

    /// <summary>Reads and checks the section.</summary>
    public static RateLimitOptions Read(IConfiguration configuration, ConfigurationProblems problems)
    {
        var options = configuration.GetSection("Api:RateLimit").Get<RateLimitOptions>() ?? new RateLimitOptions();
        problems.Require(
            options.PerSecond is >= 1 and <= 1_000_000,
            $"Api:RateLimit:PerSecond must be 1–1000000, got {options.PerSecond}; set Api__RateLimit__PerSecond"
        );
        problems.Require(
            options.Burst is >= 1 and <= 1_000_000,
            $"Api:RateLimit:Burst must be 1–1000000, got {options.Burst}; set Api__RateLimit__Burst"
        );
        return options;
    }
}
