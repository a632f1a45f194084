using System.Threading.RateLimiting;
using Orders.Infrastructure.Hosting;
using Orders.Producer.Api.Auth;
using Orders.Producer.Api.Problems;

namespace Orders.Producer.Api.Limits;

/// <summary>
/// How many orders and requests each client may send: a bucket of tokens per client, so that one cannot hold the others up. It counts in this process only; with several
/// processes behind a balancer a client's limit is the sum.
/// </summary>
internal static class RateLimit
{
    // Ten refills a second: a client at its limit is slowed smoothly, not stopped for the rest of each second.
    private static readonly TimeSpan Refill = TimeSpan.FromMilliseconds(100);

    /// <summary>Adds the limiter.</summary>
    public static IServiceCollection AddRateLimit(this IServiceCollection services, RateLimitOptions options)
    {
        var perRefill = Math.Max(1, options.PerSecond / 10);
        var bucket = new TokenBucketRateLimiterOptions
        {
            TokenLimit = options.Burst,
            TokensPerPeriod = perRefill,
            // Below ten a second one token comes at a time, less often.
            ReplenishmentPeriod = options.PerSecond >= 10 ? Refill : TimeSpan.FromSeconds(1.0 / options.PerSecond),
            QueueLimit = 0,
            AutoReplenishment = true,
        };
        var limiter = PartitionedRateLimiter.Create<HttpContext, string>(context => context.Features.Get<Caller>() is { } caller
            ? RateLimitPartition.GetTokenBucketLimiter(caller.ClientId, _ => bucket)
            : RateLimitPartition.GetNoLimiter(""));
        services.AddSingleton(limiter);
        return services.AddRateLimiter(o =>
        {
            o.GlobalLimiter = limiter;
            o.OnRejected = (rejected, _) => new ValueTask(Refusal(rejected.Lease).AnswerAsync(rejected.HttpContext));
        });
    }

    /// <summary>The answer to a client that sends too much.</summary>
    public static Problem Refusal(RateLimitLease lease) => new(
        ProblemKinds.TooManyRequests, "Send less, or wait as long as Retry-After says.",
        RetryAfter: lease.TryGetMetadata(MetadataName.RetryAfter, out var wait) ? wait : TimeSpan.FromSeconds(1));
}

/// <summary>The rate of one client, section <c>Api:RateLimit</c>.</summary>
internal sealed record RateLimitOptions
{
    /// <summary>Requests a second in the long run; an order in a batch counts as one. Default: 5000.</summary>
    public int PerSecond { get; init; } = 5000;

    /// <summary>Requests at once after a pause; at least a whole batch. Default: 10,000.</summary>
    public int Burst { get; init; } = 10_000;

    /// <summary>Reads and checks the section.</summary>
    public static RateLimitOptions Read(IConfiguration configuration, ConfigurationProblems problems)
    {
        var options = configuration.GetSection("Api:RateLimit").Get<RateLimitOptions>() ?? new RateLimitOptions();
        problems.Require(options.PerSecond is >= 1 and <= 1_000_000, $"Api:RateLimit:PerSecond must be 1–1000000, got {options.PerSecond}; set Api__RateLimit__PerSecond");
        problems.Require(options.Burst is >= 1 and <= 1_000_000, $"Api:RateLimit:Burst must be 1–1000000, got {options.Burst}; set Api__RateLimit__Burst");
        return options;
    }
}
