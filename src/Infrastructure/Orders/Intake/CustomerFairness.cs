using System.Collections.Concurrent;
using System.Diagnostics;

namespace Orders.Infrastructure.Intake;

/// <summary>
/// Keeps one customer's flood from holding up the others, at no cost: who has posted a lot lately goes a lane lower,
/// behind everybody who has not. A lane is a priority of the broker within the order's own class; all messages of the
/// order keep it, so it holds in every step. When nobody else is there, a lower lane is as fast as any other.
/// A customer's first orders, and one a second from then on, stay in the normal lane; the same, more generously, for a
/// client as a whole.
/// Kept in memory, per process: with several API processes the quotas are that many times as large, and a restart
/// forgets them, which costs nobody anything but a few seconds.
/// </summary>
internal sealed class CustomerFairness
{
    private const int MostBuckets = 50_000;

    private static readonly Quota Customer = new(Burst: 20, PerSecond: 1);
    private static readonly Quota Client = new(Burst: 200, PerSecond: 20);

    private readonly ConcurrentDictionary<string, Bucket> _buckets = new();

    /// <summary>The priority of an order's messages.</summary>
    /// <param name="order">The order.</param>
    /// <param name="priority">Its class; null for normal.</param>
    public short? PriorityOf(NewOrder order, short? priority)
    {
        Forget();
        // Both are asked, always: an order that goes lower for the customer's sake is one of the client's all the same.
        var client = Take($"c {order.ClientId}", Client);
        var customer = Take($"m {order.ClientId} {order.CustomerEmail}", Customer);
        var steps =
            !customer ? 2
            : !client ? 1
            : 0;
        return steps == 0 ? priority : OrderPriority.Lower(priority, steps);
    }

    private bool Take(string key, Quota quota) =>
        _buckets.GetOrAdd(key, static (_, q) => new Bucket(q.Burst), quota).TryTake(quota);

    // A bucket that is full again says nothing; the look is taken only when there are many.
    private void Forget()
    {
        if (_buckets.Count <= MostBuckets)
            return;
        foreach (var (key, bucket) in _buckets)
        {
            if (bucket.IsOld)
                _buckets.TryRemove(key, out _);
        }

        // All of them recent: better to be unfair for a moment than to grow without end.
        if (_buckets.Count > MostBuckets)
            _buckets.Clear();
    }

    private readonly record struct Quota(double Burst, double PerSecond);

    private sealed class Bucket(double level)
    {
        private static readonly TimeSpan Refilled = TimeSpan.FromSeconds(30);

        private readonly Lock _lock = new();
        private double _level = level;
        private long _at = Stopwatch.GetTimestamp();

        public bool IsOld
        {
            get
            {
                lock (_lock)
                    return Stopwatch.GetElapsedTime(_at) > Refilled;
            }
        }

        public bool TryTake(Quota quota)
        {
            lock (_lock)
            {
                var now = Stopwatch.GetTimestamp();
                _level = Math.Min(
                    quota.Burst,
                    _level + (Stopwatch.GetElapsedTime(_at, now).TotalSeconds * quota.PerSecond)
                );
                _at = now;
                if (_level < 1)
                    return false;
                _level--;
                return true;
            }
        }
    }
}
