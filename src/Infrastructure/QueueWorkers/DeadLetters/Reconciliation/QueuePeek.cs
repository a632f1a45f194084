using System.Threading.Channels;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;

namespace QueueWorkers.DeadLetters.Reconciliation;

/// <summary>
/// A look at the messages of a queue that leaves them there. They are held while it lasts; what was not taken out goes
/// back with one <c>nack</c> for all. Never by <c>reject</c>, which counts towards the delivery limit and in the end
/// loses the message. A process that dies with messages held loses none either: the queues it looks at have no limit
/// (policy <c>queue-workers-dead-letters</c>).
/// </summary>
internal sealed class QueuePeek : IAsyncDisposable
{
    // Once nothing has come for so long, no more will: others hold the rest.
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(1);

    // What another look has just given back is ready again when the queue's log says so, a moment later.
    private static readonly TimeSpan Again = TimeSpan.FromMilliseconds(100);
    private const int MostAgain = 30;

    private readonly IChannel _channel;
    private readonly List<BasicDeliverEventArgs> _messages;
    private readonly HashSet<ulong> _held;

    private QueuePeek(IChannel channel, List<BasicDeliverEventArgs> messages, bool complete)
    {
        _channel = channel;
        _messages = messages;
        _held = [.. messages.Select(m => m.DeliveryTag)];
        IsComplete = complete;
    }

    /// <summary>The messages, in the order of the queue.</summary>
    public IReadOnlyList<BasicDeliverEventArgs> Messages => _messages;

    /// <summary>Whether these are all that the queue held when the look began.</summary>
    public bool IsComplete { get; }

    /// <summary>Looks.</summary>
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

            var wanted = (int)Math.Min(ready, (uint)Math.Min(limit, ushort.MaxValue));
            var messages = wanted == 0 ? [] : await HoldAsync(channel, queue, wanted, cancellationToken);
            return new QueuePeek(channel, messages, complete: messages.Count >= ready);
        }
        catch
        {
            // Closing gives back what was delivered meanwhile.
            await channel.DisposeAsync();
            throw;
        }
    }

    /// <summary>Takes messages out of the queue for good.</summary>
    public async Task RemoveAsync(IEnumerable<BasicDeliverEventArgs> messages, CancellationToken cancellationToken)
    {
        foreach (var message in messages)
        {
            Failpoint.Hit("deadletter.before_ack", Outside.Broker);
            await _channel.BasicAckAsync(message.DeliveryTag, multiple: false, cancellationToken);
            Failpoint.Hit("deadletter.after_ack", Outside.Broker);
            _held.Remove(message.DeliveryTag);
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

    private static async Task<List<BasicDeliverEventArgs>> HoldAsync(
        IChannel channel,
        string queue,
        int wanted,
        CancellationToken cancellationToken
    )
    {
        // The prefetch count is the number of messages to come: the broker stops by itself.
        Failpoint.Hit("deadletter.before_hold", Outside.Broker);
        await channel.BasicQosAsync(0, (ushort)wanted, global: false, cancellationToken);
        var incoming = Channel.CreateUnbounded<BasicDeliverEventArgs>();
        var consumer = new AsyncEventingBasicConsumer(channel);
        consumer.ReceivedAsync += (_, delivery) =>
        {
            // The body's memory is the client's, and only until this returns.
            incoming.Writer.TryWrite(
                new BasicDeliverEventArgs(
                    delivery.ConsumerTag,
                    delivery.DeliveryTag,
                    delivery.Redelivered,
                    delivery.Exchange,
                    delivery.RoutingKey,
                    delivery.BasicProperties,
                    delivery.Body.ToArray()
                )
            );
            return Task.CompletedTask;
        };
        var tag = await channel.BasicConsumeAsync(queue, autoAck: false, consumer, cancellationToken);
        var messages = new List<BasicDeliverEventArgs>(wanted);
        using var silence = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        try
        {
            while (messages.Count < wanted)
            {
                silence.CancelAfter(Silence);
                messages.Add(await incoming.Reader.ReadAsync(silence.Token));
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested) { }

        Failpoint.Hit("deadletter.before_hold_no_more", Outside.Broker);
        await channel.BasicCancelAsync(tag, cancellationToken: cancellationToken);
        while (incoming.Reader.TryRead(out var late))
            messages.Add(late);
        return messages;
    }
}
