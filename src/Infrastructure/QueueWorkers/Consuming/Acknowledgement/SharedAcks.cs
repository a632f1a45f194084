using MassTransit.RabbitMqTransport;

namespace QueueWorkers.Consuming.Acknowledgement;

/// <summary>
/// Lets messages that a shared commit has settled together share an acknowledgement too. A quorum queue writes each
/// acknowledgement into its log; one "all up to this one" costs it as much as one for a single message. Nothing is
/// acked earlier than before, and nothing that was not handed over:
/// the life of an acknowledgement:
/// 1. MassTransit acks a message after its commit and waits. The tag is noted; dying here brings the message again, as
///    with every ack that was under way.
/// 2. When the continuations of the same commit have had their turn, the noted tags go out: those that close the row
///    from the first delivery on as one ack, the others singly.
/// 3. Each waiting message goes on when its ack has been handed to the connection, so a stopping endpoint leaves none
///    behind.
/// </summary>
/// <param name="channel">Delivery tags count per channel, and a channel that was lost comes again as a new one.</param>
internal sealed class SharedAcks(ChannelContext channel)
{
    private readonly Lock _lock = new();
    private readonly SettledTags _settled = new();
    private List<ulong> _noted = [];
    private List<ulong> _spare = [];
    private TaskCompletionSource? _sent;
    private bool _sending;

    /// <summary>Acks one delivery; completes when the ack was handed to the connection.</summary>
    public Task AckAsync(ulong deliveryTag)
    {
        lock (_lock)
        {
            _noted.Add(deliveryTag);
            _sent ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            if (!_sending)
            {
                _sending = true;
                // Behind the work that is queued already: the other messages of the same commit are about to ack too.
                ThreadPool.UnsafeQueueUserWorkItem(static acks => _ = acks.SendAsync(), this, preferLocal: false);
            }

            return _sent.Task;
        }
    }

    /// <summary>Gives one delivery back to its queue.</summary>
    public async Task NackAsync(ulong deliveryTag, bool requeue, CancellationToken cancellationToken)
    {
        await channel.BasicNack(deliveryTag, multiple: false, requeue, cancellationToken);
        // Only now: an "all up to" that overtook the nack would acknowledge what was to be given back.
        lock (_lock)
            _settled.Settle(deliveryTag);
    }

    // Never throws: what goes wrong goes to those who wait for their ack. Never cancelled either: at a stop the
    // context's token ends before the last acks, and what is committed and not acked would be delivered once more.
    private async Task SendAsync()
    {
        while (Take() is var (tags, sent))
        {
            try
            {
                if (tags.Count == 1)
                    await channel.BasicAck(tags[0], multiple: false, CancellationToken.None);
                else
                    await SendAsync(tags);
                lock (_lock)
                    tags.ForEach(_settled.Settle);
                sent.SetResult();
            }
#pragma warning disable CA1031 // Handed to every message that waits; the broker delivers them again, on a new channel.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                sent.SetException(exception);
            }

            tags.Clear();
            lock (_lock)
                _spare = tags;
        }
    }

    private (List<ulong> Tags, TaskCompletionSource Sent)? Take()
    {
        lock (_lock)
        {
            if (_sent is null)
            {
                _sending = false;
                return null;
            }

            var taken = (_noted, _sent);
            (_noted, _spare, _sent) = (_spare, [], null);
            return taken;
        }
    }

    private async Task SendAsync(List<ulong> tags)
    {
        int together;
        tags.Sort();
        lock (_lock)
            together = _settled.InRowWith(tags);
        if (together > 0)
            await channel.BasicAck(tags[together - 1], multiple: together > 1, CancellationToken.None);
        for (var i = together; i < tags.Count; i++)
            await channel.BasicAck(tags[i], multiple: false, CancellationToken.None);
    }
}
