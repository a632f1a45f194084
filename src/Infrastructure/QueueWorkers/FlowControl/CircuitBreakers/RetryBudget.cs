namespace QueueWorkers.FlowControl.CircuitBreakers;

/// <summary>
/// Keeps repeated runs under a share of the first ones, so that a dependency that has just come back, or works badly, is not kept down by its own backlog of retries.
/// Each first run pays in a part of a retry, each retry takes a whole one out; besides, one a second is always free, or the last messages of a quiet hour would never be repeated.
/// Kept per process: the shares of all processes add up to the share of all their calls.
/// </summary>
public sealed class RetryBudget(double share, TimeProvider time)
{
    private const double FreePerSecond = 1;
    private const double Most = 100;

    private readonly Lock _lock = new();
    private double _balance = 10;
    private long _free = time.GetTimestamp();

    /// <summary>A first run begins.</summary>
    public void RecordFirstAttempt()
    {
        lock (_lock)
            _balance = Math.Min(Most, _balance + share);
    }

    /// <summary>Whether a repeated run may begin.</summary>
    public bool TryTake()
    {
        lock (_lock)
        {
            var elapsed = time.GetElapsedTime(_free);
            if (elapsed.TotalSeconds * FreePerSecond >= 1)
            {
                _free = time.GetTimestamp();
                return true;
            }

            if (_balance < 1)
                return false;
            _balance--;
            return true;
        }
    }
}
