using System.Diagnostics;
using System.Threading.RateLimiting;
using QueueWorkers.GroupCommit;
using QueueWorkers.Steps;

namespace QueueWorkers.FlowControl.RateLimits;

/// <summary>
/// A limit over all replicas: leases small bundles of permits, each for a moment of its own, and makes its callers wait
/// for theirs. Who would have to wait longer than is sensible is refused, with the time after which to come again
/// (<see cref="MetadataName.RetryAfter"/>).
/// </summary>
internal sealed class SharedRateLimiter(string bucket, RateLimit limit, TimeSpan patience, PermitLeases leases)
    : RateLimiter
{
    private readonly Lock _lock = new();
    private readonly Queue<long> _moments = new();
    private readonly SemaphoreSlim _leasing = new(1, 1);
    private int _waiting;

    /// <inheritdoc />
    public override TimeSpan? IdleDuration => null;

    /// <inheritdoc />
    public override RateLimiterStatistics? GetStatistics()
    {
        lock (_lock)
            return new RateLimiterStatistics
            {
                CurrentAvailablePermits = _moments.Count,
                CurrentQueuedCount = _waiting,
            };
    }

    /// <inheritdoc />
    protected override RateLimitLease AttemptAcquireCore(int permitCount)
    {
        lock (_lock)
            return _moments.TryPeek(out var moment) && moment <= Stopwatch.GetTimestamp() && TryDequeue(out _)
                ? Lease.Granted
                : Lease.Refused;
    }

    /// <inheritdoc />
    protected override async ValueTask<RateLimitLease> AcquireAsyncCore(
        int permitCount,
        CancellationToken cancellationToken
    )
    {
        Interlocked.Increment(ref _waiting);
        try
        {
            long moment;
            while (!TryDequeue(out moment))
            {
                if (await LeaseAsync(cancellationToken) is { } retryAt)
                    return new Lease(retryAt);
            }

            // Cancelled here, the permit is wasted: a little less is done, never more.
            var wait = Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), moment);
            if (wait > TimeSpan.Zero)
                await Task.Delay(wait, cancellationToken);
            return Lease.Granted;
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }

    /// <inheritdoc />
    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _leasing.Dispose();
        base.Dispose(disposing);
    }

    private bool TryDequeue(out long moment)
    {
        lock (_lock)
        {
            var lapsed = Stopwatch.GetTimestamp() - Ticks(Permits.Grace(limit));
            while (_moments.TryDequeue(out moment))
            {
                if (moment >= lapsed)
                    return true;
            }

            return false;
        }
    }

    private async Task<TimeSpan?> LeaseAsync(CancellationToken cancellationToken)
    {
        await _leasing.WaitAsync(cancellationToken);
        try
        {
            lock (_lock)
            {
                if (_moments.Count > 0)
                    return null;
            }

            Permits? permits = null;
            var request = new PermitRequest(bucket, limit, Volatile.Read(ref _waiting), patience);
            await DatabaseRetry.RunAsync(async () => permits = await leases.CommitAsync(request), cancellationToken);
            var now = Stopwatch.GetTimestamp();
            lock (_lock)
            {
                foreach (var wait in permits!.Waits)
                    _moments.Enqueue(now + Ticks(wait));
            }

            return permits.RetryAfter;
        }
        finally
        {
            _leasing.Release();
        }
    }

    private static long Ticks(TimeSpan time) => (long)(time.TotalSeconds * Stopwatch.Frequency);

    private sealed class Lease(TimeSpan? retryAfter) : RateLimitLease
    {
        public static readonly Lease Granted = new(null);
        public static readonly Lease Refused = new(TimeSpan.Zero);

        public override bool IsAcquired => retryAfter is null;

        public override IEnumerable<string> MetadataNames => retryAfter is null ? [] : [MetadataName.RetryAfter.Name];

        public override bool TryGetMetadata(string metadataName, out object? metadata)
        {
            metadata = metadataName == MetadataName.RetryAfter.Name ? retryAfter : null;
            return metadata is not null;
        }
    }
}
