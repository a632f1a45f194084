using System.Collections.Concurrent;

namespace Orders.Infrastructure.Steps;

/// <summary>The subscriptions of the steps of this process, for those who have to know whether it consumes.</summary>
public sealed class StepConsumptions
{
    private readonly ConcurrentDictionary<string, StepConsumption> _steps = new();

    internal StepConsumption Of(string step) => _steps.GetOrAdd(step, _ => new StepConsumption());
}

/// <summary>Whether one step is subscribed to its queue now, and when a message came last.</summary>
internal sealed class StepConsumption
{
    private long _deliveredAt = long.MinValue;
    private volatile Func<bool>? _isSubscribed;

    /// <summary>Whether the broker may deliver to this process.</summary>
    public bool IsSubscribed => _isSubscribed?.Invoke() ?? false;

    /// <summary>How long ago a message came; null when none has come yet.</summary>
    public TimeSpan? SinceDelivery => Interlocked.Read(ref _deliveredAt) is var at && at != long.MinValue
        ? TimeSpan.FromMilliseconds(Environment.TickCount64 - at)
        : null;

    /// <summary>A subscription has begun, in place of any earlier one.</summary>
    public void Begin(Func<bool> isSubscribed) => _isSubscribed = isSubscribed;

    /// <summary>A message has come.</summary>
    public void Delivered() => Interlocked.Exchange(ref _deliveredAt, Environment.TickCount64);
}
