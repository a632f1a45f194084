using System.Threading.Channels;
using Orders.Infrastructure.Reading;

namespace Orders.Producer.Api.Watching;

/// <summary>
/// One client's eye on one order. Holds the latest state only: a client that reads slowly misses what lies between,
/// never the end.
/// </summary>
internal sealed class Watch(Guid orderId, Action<Watch> end) : IDisposable
{
    private readonly Channel<OrderState> _states = Channel.CreateBounded<OrderState>(
        new BoundedChannelOptions(1)
        {
            FullMode = BoundedChannelFullMode.DropOldest,
            SingleReader = true,
            SingleWriter = true,
        }
    );

    private OrderState? _latest;

    /// <summary>The order.</summary>
    public Guid OrderId { get; } = orderId;

    /// <summary>States that differ from the one before.</summary>
    public ChannelReader<OrderState> States => _states.Reader;

    /// <summary>Shows a state. Called by the poller only.</summary>
    public void Show(OrderState state)
    {
        if (_latest is not null && _latest.Status == state.Status && _latest.Steps.SequenceEqual(state.Steps))
            return;
        _latest = state;
        _states.Writer.TryWrite(state);
    }

    /// <inheritdoc />
    public void Dispose() => end(this);
}
