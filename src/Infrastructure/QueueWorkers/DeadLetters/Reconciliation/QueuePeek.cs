using System.Threading.Channels;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;

namespace QueueWorkers.DeadLetters.Reconciliation;

/// <summary>A message that a peek holds at the broker.</summary>
/// <param name="Tag">Its delivery.</param>
/// <param name="Properties">Its properties.</param>
/// <param name="Body">Its body, a copy.</param>
internal sealed record HeldMessage(ulong Tag, IReadOnlyBasicProperties Properties, byte[] Body);

/// <summary>
/// A look at the messages of a queue that leaves them there. They are held at the broker while it lasts; what was not
/// taken out goes back with one <c>nack</c> for all. Never by <c>reject</c>, which counts towards the delivery limit
/// and in the end loses the message. A process that dies with messages held loses none either: the queues it looks at
/// have no limit (policy <c>queue-workers-dead-letters</c>).
/// Bodies come in windows, and the caller keeps none of them longer than it needs: however many messages of whatever
/// size a queue holds, the bodies of one window are in memory.
/// </summary>
internal sealed class QueuePeek : IAsyncDisposable
{
    /// <summary>Bytes of bodies in one window; one message may exceed them.</summary>
    public const int WindowBytes = 16 * 1024 * 1024;

    private const int FirstWindow = 16;
    private const int LargestWindow = 512;

    // Once nothing has come for so long, no more will: others hold the rest.
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(1);

    // What another look has just given back is ready again when the queue's log says so, a moment later.
    private static readonly TimeSpan Again = TimeSpan.FromMilliseconds(100);
    private const int MostAgain = 30;

    private readonly IChannel _channel;
    private readonly string _queue;
    private readonly HashSet<ulong> _held = [];
    private readonly uint _ready;
    private readonly int _limit;
    private int _window = FirstWindow;
    private bool _ended;

    private QueuePeek(IChannel channel, string queue, uint ready, int limit)
    {
        (_channel, _queue, _ready) = (channel, queue, ready);
        _limit = (int)Math.Min(ready, (uint)limit);
    }

    /// <summary>How many messages have been seen.</summary>
    public int Count { get; private set; }

    /// <summary>The most bytes of bodies that were in memory at once.</summary>
    public long MostBytes { get; private set; }

    /// <summary>Whether all that the queue held when the look began has been seen.</summary>
    public bool IsComplete => Count >= _ready;

    /// <summary>Begins a look.</summary>
    /// <param name="connection">A connection that does not publish: one blocked by an alarm delivers nothing.</param>
    /// <param name="queue">The queue.</param>
    /// <param name="limit">How many messages to hold at most; those at the head.</param>
    /// <param name="expected">How many are known to stand there. With fewer, the queue is asked again for up to three
    /// seconds before that is believed.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public static async Task<QueuePeek> OpenAsync(
        IConnection connection,
        string queue,
        int limit,
        long expected,
        CancellationToken cancellationToken
    )
    {
        Failpoint.Hit("deadletter.before_look", Outside.Broker);
        var channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken);
        try
        {
            Failpoint.Hit("deadletter.before_count_ready", Outside.Broker);
            var ready = (await channel.QueueDeclarePassiveAsync(queue, cancellationToken)).MessageCount;
            for (var asked = 0; ready < expected && asked < MostAgain; asked++)
            {
                await Task.Delay(Again, cancellationToken);
                ready = (await channel.QueueDeclarePassiveAsync(queue, cancellationToken)).MessageCount;
            }

            return new QueuePeek(channel, queue, ready, limit);
        }
        catch
        {
            await channel.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// The next messages, in the order of the queue; none when all have been seen, or as many as the limit allows.
    /// </summary>
    public async Task<IReadOnlyList<HeldMessage>> NextAsync(CancellationToken cancellationToken)
    {
        if (_ended || Count >= _limit)
            return [];
        var window = Math.Min(_window, _limit - Count);
        var (messages, dropped) = await HoldAsync(window, cancellationToken);
        Count += messages.Count;
        _ended = messages.Count + dropped < window;
        // Sized by the largest message of this window, and growing slowly: the next one may be another kind.
        var largest = messages.Count == 0 ? 1 : Math.Max(1, messages.Max(m => m.Body.Length));
        _window = Math.Clamp(Math.Min(WindowBytes / largest, _window * 4), 1, LargestWindow);
        return messages;
    }

    /// <summary>Takes messages out of the queue for good.</summary>
    public async Task RemoveAsync(IEnumerable<ulong> tags, CancellationToken cancellationToken)
    {
        foreach (var tag in tags)
        {
            Failpoint.Hit("deadletter.before_ack", Outside.Broker);
            await _channel.BasicAckAsync(tag, multiple: false, cancellationToken);
            Failpoint.Hit("deadletter.after_ack", Outside.Broker);
            _held.Remove(tag);
        }
    }

    /// <summary>
    /// Puts everything that is still held back, and waits until the broker has taken note of that and of what was
    /// removed.
    /// </summary>
    public async Task EndAsync(CancellationToken cancellationToken)
    {
        await ReturnAsync(cancellationToken);
        Failpoint.Hit("deadletter.before_end", Outside.Broker);
        await _channel.CloseAsync(cancellationToken: cancellationToken);
        Failpoint.Hit("deadletter.after_end", Outside.Broker);
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        if (_channel.IsOpen)
            await ReturnAsync(CancellationToken.None);
        await _channel.DisposeAsync();
    }

    private async Task ReturnAsync(CancellationToken cancellationToken)
    {
        if (_held.Count == 0)
            return;
        Failpoint.Hit("deadletter.before_return", Outside.Broker);
        await _channel.BasicNackAsync(_held.Max(), multiple: true, requeue: true, cancellationToken);
        Failpoint.Hit("deadletter.after_return", Outside.Broker);
        _held.Clear();
    }

    // Returns the messages, and how many came beyond the bytes of a window: those go back, for the next window.
    private async Task<(List<HeldMessage> Messages, int Dropped)> HoldAsync(
        int wanted,
        CancellationToken cancellationToken
    )
    {
        // The prefetch count is the number of messages to come: the broker stops by itself. It holds for the consumer
        // that begins after it; those before have ended, and what they held stays held.
        Failpoint.Hit("deadletter.before_hold", Outside.Broker);
        await _channel.BasicQosAsync(0, (ushort)wanted, global: false, cancellationToken);
        var incoming = Channel.CreateUnbounded<HeldMessage?>();
        var consumer = new AsyncEventingBasicConsumer(_channel);
        var (bytes, dropped) = (0L, new List<ulong>());
        consumer.ReceivedAsync += (_, delivery) =>
        {
            // One after the other. The body's memory is the client's, and only until this returns.
            if (dropped.Count > 0 || (bytes > 0 && bytes + delivery.Body.Length > WindowBytes))
            {
                dropped.Add(delivery.DeliveryTag);
                incoming.Writer.TryWrite(null);
                return Task.CompletedTask;
            }

            bytes += delivery.Body.Length;
            incoming.Writer.TryWrite(
                new HeldMessage(delivery.DeliveryTag, delivery.BasicProperties, delivery.Body.ToArray())
            );
            return Task.CompletedTask;
        };
        var tag = await _channel.BasicConsumeAsync(_queue, autoAck: false, consumer, cancellationToken);
        var messages = new List<HeldMessage>(wanted);
        var seen = 0;
        using var silence = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        try
        {
            for (; seen < wanted; seen++)
            {
                silence.CancelAfter(Silence);
                Take(await incoming.Reader.ReadAsync(silence.Token));
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested) { }

        Failpoint.Hit("deadletter.before_hold_no_more", Outside.Broker);
        await _channel.BasicCancelAsync(tag, cancellationToken: cancellationToken);
        while (incoming.Reader.TryRead(out var late))
            Take(late);
        MostBytes = Math.Max(MostBytes, bytes);
        foreach (var beyond in dropped)
            await _channel.BasicNackAsync(beyond, multiple: false, requeue: true, cancellationToken);
        return (messages, dropped.Count);

        void Take(HeldMessage? message)
        {
            if (message is null)
                return;
            messages.Add(message);
            _held.Add(message.Tag);
        }
    }
}
