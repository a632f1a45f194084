using System.Threading.RateLimiting;

namespace Orders.Dashboard.Oidc;

/// <summary>
/// The beginning and the end of a login make the dashboard call the provider, and nobody is known yet: an anonymous
/// flood would become one of ours. A few calls run at once, and an address has a number per minute.
/// </summary>
internal sealed class OidcLimits : IDisposable
{
    /// <summary>Calls at once: a provider that does not answer holds each of them for ten seconds.</summary>
    public const int MostAtOnce = 8;

    /// <summary>Calls of one address at once: it leaves room for others.</summary>
    public const int MostAtOncePerAddress = MostAtOnce / 2;

    /// <summary>
    /// Calls of one address in a minute. A login takes two, and many operators may share an address.
    /// </summary>
    public const int MostPerMinute = 60;

    private static readonly TimeSpan Shortly = TimeSpan.FromSeconds(2);

    // Cheapest first: what an address has too much of takes nobody's place.
    private readonly PartitionedRateLimiter<string> _limiter = PartitionedRateLimiter.CreateChained(
        PartitionedRateLimiter.Create<string, string>(address =>
            RateLimitPartition.GetFixedWindowLimiter(
                address,
                _ => new FixedWindowRateLimiterOptions { PermitLimit = MostPerMinute, Window = TimeSpan.FromMinutes(1) }
            )
        ),
        PartitionedRateLimiter.Create<string, string>(address =>
            RateLimitPartition.GetConcurrencyLimiter(
                address,
                _ => new ConcurrencyLimiterOptions { PermitLimit = MostAtOncePerAddress }
            )
        ),
        PartitionedRateLimiter.Create<string, string>(_ =>
            RateLimitPartition.GetConcurrencyLimiter(
                "",
                _ => new ConcurrencyLimiterOptions { PermitLimit = MostAtOnce }
            )
        )
    );

    /// <summary>Takes a place until it is disposed; nobody waits for one.</summary>
    /// <param name="address">Where the request comes from.</param>
    /// <param name="retryAfter">How long to wait without a place.</param>
    /// <returns>The place; null when there is none.</returns>
    public IDisposable? TryEnter(string address, out TimeSpan retryAfter)
    {
        var lease = _limiter.AttemptAcquire(address);
        retryAfter = TimeSpan.Zero;
        if (lease.IsAcquired)
            return lease;
        retryAfter = lease.TryGetMetadata(MetadataName.RetryAfter, out var left) && left > Shortly ? left : Shortly;
        lease.Dispose();
        return null;
    }

    /// <inheritdoc />
    public void Dispose() => _limiter.Dispose();
}
