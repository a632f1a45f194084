using Orders.Infrastructure.Reading;
using QueueWorkers.Hosting;

namespace Orders.Producer.Api.Watching;

/// <summary>
/// Looks after all watched orders with one query for all of them, ten times a second; with nobody watching it asks
/// nothing. Polling costs the orders nothing, where a notification in each step's transaction would (measured: commits
/// three to four times slower).
/// </summary>
internal sealed class OrderWatch(OrderChangesReader reader, WatchOptions options, ILogger<OrderWatch> log)
    : Refresh("the watched orders", TimeSpan.FromMilliseconds(100), log)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<Guid, List<Watch>> _watches = [];
    private readonly SemaphoreSlim _someoneWatches = new(0, 1);
    private int _count;

    /// <summary>Starts watching an order. Dispose the watch to end it.</summary>
    /// <returns>Null when too many are watched already.</returns>
    public Watch? TryBegin(Guid orderId)
    {
        lock (_lock)
        {
            if (_count == options.MostWatchers)
                return null;
            var watch = new Watch(orderId, End);
            if (!_watches.TryGetValue(orderId, out var others))
                _watches.Add(orderId, others = []);
            others.Add(watch);
            if (_count++ == 0 && _someoneWatches.CurrentCount == 0)
                _someoneWatches.Release();
            return watch;
        }
    }

    /// <inheritdoc />
    public override void Dispose()
    {
        _someoneWatches.Dispose();
        base.Dispose();
    }

    /// <inheritdoc />
    protected override async Task RefreshAsync(CancellationToken cancellationToken)
    {
        Guid[] orders;
        while ((orders = Watched()).Length == 0)
            await _someoneWatches.WaitAsync(cancellationToken);

        foreach (var state in await reader.ReadAsync(orders, cancellationToken))
        {
            lock (_lock)
            {
                if (_watches.TryGetValue(state.OrderId, out var watches))
                    watches.ForEach(w => w.Show(state));
            }
        }
    }

    private Guid[] Watched()
    {
        lock (_lock)
            return [.. _watches.Keys];
    }

    private void End(Watch watch)
    {
        lock (_lock)
        {
            if (!_watches.TryGetValue(watch.OrderId, out var others) || !others.Remove(watch))
                return;
            _count--;
            if (others.Count == 0)
                _watches.Remove(watch.OrderId);
        }
    }
}

/// <summary>How many may watch, section <c>Api:Events</c>.</summary>
internal sealed record WatchOptions
{
    /// <summary>Most open event streams of one API process. Default: 1000.</summary>
    /// <value>streams</value>
    public int MostWatchers { get; init; } = 1000;

    /// <summary>Reads and checks the section.</summary>
    public static WatchOptions Read(IConfiguration configuration, ConfigurationProblems problems)
    {
        var options = configuration.GetSection("Api:Events").Get<WatchOptions>() ?? new WatchOptions();
        problems.Require(
            options.MostWatchers is >= 1 and <= 9000,
            $"Api:Events:MostWatchers must be 1–9000, got {options.MostWatchers}; set Api__Events__MostWatchers"
        );
        return options;
    }
}
