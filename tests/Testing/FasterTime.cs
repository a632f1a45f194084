namespace Orders.Testing;

/// <summary>
/// A clock whose timers ring earlier by a factor: the time limit of a step, 30 seconds by default, is tested in a
/// fraction of a second.
/// </summary>
public sealed class FasterTime(double factor) : TimeProvider
{
    private double _factor = factor;

    /// <summary>
    /// From now on, for the timers that are set from now on. At 1 what follows has all of its time, however busy the
    /// machine is.
    /// </summary>
    public double Factor
    {
        get => Volatile.Read(ref _factor);
        set => Volatile.Write(ref _factor, value);
    }

    /// <inheritdoc />
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        base.CreateTimer(callback, state, dueTime == Timeout.InfiniteTimeSpan ? dueTime : dueTime / Factor, period);
}
