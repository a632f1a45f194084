using System.Threading.RateLimiting;
using QueueWorkers.Clocks;
using QueueWorkers.FlowControl.Gates;
using QueueWorkers.GroupCommit;
using QueueWorkers.Steps;

namespace QueueWorkers.FlowControl.RateLimits;

/// <summary>
/// The rate limits of a step. A limit for all its messages makes them wait in their queue, premium ones first: the few
/// that are prefetched wait here for their moment.
/// A limit per key must hold up nobody but those of that key: its messages go back through the outbox until their turn,
/// and hold no slot.
/// </summary>
internal sealed class StepRates : IDisposable
{
    private static readonly TimeSpan QueuePatience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan KeyPatience = TimeSpan.FromMilliseconds(500);

    private readonly string _step;
    private readonly PermitLeases _leases;
    private readonly RateLimit[] _perKey;
    private readonly SharedRateLimiter[] _forAll;

    public StepRates(string step, IReadOnlyList<RateLimit> limits, PermitLeases leases)
    {
        _step = step;
        _leases = leases;
        Limits = limits;
        _perKey = [.. limits.Where(l => l.Key is not null)];
        _forAll =
        [
            .. limits
                .Where(l => l.Key is null)
                .Select(l => new SharedRateLimiter($"{step} {l}", l, QueuePatience, leases)),
        ];
    }

    /// <summary>The limits that hold.</summary>
    public IReadOnlyList<RateLimit> Limits { get; }

    /// <summary>Takes a permit of each limit, and waits for its moment.</summary>
    /// <param name="keyOf">The value of a key that the message carries; null when it carries none: such a limit does
    /// not concern it.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async ValueTask<AdmissionResult> TakeAsync(Func<string, string?> keyOf, CancellationToken cancellationToken)
    {
        foreach (var limit in _perKey)
        {
            if (keyOf(limit.Key!) is { } key && await TakeAsync(limit, key, cancellationToken) is { } later)
                return AdmissionResult.Later(
                    DatabaseClock.UtcNow + later,
                    DeferralCause.RateLimit,
                    $"'{_step}' may begin {limit} and has done so for this one"
                );
        }

        foreach (var limiter in _forAll)
        {
            using var lease = await limiter.AcquireAsync(1, cancellationToken);
            if (!lease.IsAcquired && lease.TryGetMetadata(MetadataName.RetryAfter, out var later))
                return AdmissionResult.Later(
                    DatabaseClock.UtcNow + later,
                    DeferralCause.RateLimit,
                    $"'{_step}' is at its limit of {RateLimit.Format(Limits)}"
                );
        }

        return AdmissionResult.Granted;
    }

    public void Dispose()
    {
        foreach (var limiter in _forAll)
            limiter.Dispose();
    }

    private async ValueTask<TimeSpan?> TakeAsync(RateLimit limit, string key, CancellationToken cancellationToken)
    {
        Permits? permits = null;
        var request = new PermitRequest($"{_step} {limit} {key}", limit, 1, KeyPatience);
        await DatabaseRetry.RunAsync(async () => permits = await _leases.CommitAsync(request), cancellationToken);
        if (permits!.RetryAfter is { } later)
            return later;
        if (permits.Waits[0] > TimeSpan.Zero)
            await Task.Delay(permits.Waits[0], cancellationToken);
        return null;
    }
}
