using Orders.Infrastructure.Coalescing;

namespace Orders.Producer.Api.Problems;

/// <summary>Says that requests are refused because of the database: at most once a second, however many are.</summary>
internal sealed class UnavailableLog(TimeProvider time)
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private long? _saidAt;
    private int _unsaid;

    /// <summary>A request was refused.</summary>
    public void Say(ILogger log, string method, Exception fault)
    {
        int count;
        lock (_lock)
        {
            _unsaid++;
            if (_saidAt is { } at && time.GetElapsedTime(at) < Pause)
                return;
            (count, _unsaid, _saidAt) = (_unsaid, 0, time.GetTimestamp());
        }

        ApiLog.DatabaseUnavailable(log, method, DatabaseFault.Explain(fault), count);
    }
}
