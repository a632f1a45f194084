namespace Orders.Testing;

/// <summary>
/// A clock whose timers ring earlier by a factor: the time limit of a step, 30 seconds by default, is tested in a
/// fraction of a second.
/// </summary>
public sealed class FasterTime(double factor) : TimeProvider
{
    /// <inheritdoc />
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        base.CreateTimer(callback, state, dueTime == Timeout.InfiniteTimeSpan ? dueTime : dueTime / factor, period);
}
