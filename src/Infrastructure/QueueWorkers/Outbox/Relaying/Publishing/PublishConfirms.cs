using RabbitMQ.Client;
using RabbitMQ.Client.Events;

namespace QueueWorkers.Outbox.Relaying.Publishing;

/// <summary>
/// What the broker says about a batch that was published on a channel: an array and one waiter for all of it, where the
/// client's own tracking keeps a task, a dictionary entry and a header per message and searches all of them at each
/// "all up to here". One batch at a time.
/// </summary>
internal sealed class PublishConfirms
{
    private readonly Lock _lock = new();
    private IReadOnlyList<OutboxMessage> _messages = [];
    private PublishOutcome[] _outcomes = [];
    private int[] _which = [];
    private bool[] _settled = [];
    private ulong _first;
    private int _settledTo;
    private int _open;
    private TaskCompletionSource _done = new();

    /// <summary>Listens to a channel that has confirms, but not their tracking, switched on.</summary>
    public PublishConfirms(IChannel channel)
    {
        channel.BasicAcksAsync += (_, confirm) =>
            Settle(confirm.DeliveryTag, confirm.Multiple, PublishOutcome.Confirmed);
        channel.BasicNacksAsync += (_, refusal) => Settle(refusal.DeliveryTag, refusal.Multiple, Full);
        channel.BasicReturnAsync += (_, returned) => Return(returned);
        channel.ChannelShutdownAsync += (_, _) => Abandon();
    }

    private static PublishOutcome Full { get; } =
        PublishOutcome.Full("the broker did not take the message (a queue is full or unavailable)");

    /// <summary>
    /// Done when every message of the batch has its outcome, or the channel is closed and none will come.
    /// </summary>
    public Task Done => _done.Task;

    /// <summary>Expects the confirms of a batch. Call it before the first publish.</summary>
    /// <param name="messages">The messages.</param>
    /// <param name="outcomes">Where the outcomes go, by the messages' places.</param>
    /// <param name="which">The places of those that are published, in the order of publishing.</param>
    /// <param name="first">The sequence number that the channel gives to the first of them.</param>
    public void Expect(IReadOnlyList<OutboxMessage> messages, PublishOutcome[] outcomes, int[] which, ulong first)
    {
        lock (_lock)
        {
            (_messages, _outcomes, _which, _settled, _first, _settledTo, _open) = (
                messages,
                outcomes,
                which,
                new bool[which.Length],
                first,
                0,
                which.Length
            );
            _done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    /// <summary>
    /// Expects the confirms of the first messages of the batch only: the next one was not published, and so none after
    /// it.
    /// </summary>
    /// <param name="count">How many.</param>
    public void ExpectOnly(int count)
    {
        lock (_lock)
        {
            _which = _which[..count];
            _open = _settled.Take(count).Count(settled => !settled);
            if (_open == 0)
                _done.TrySetResult();
        }
    }

    private Task Settle(ulong tag, bool multiple, PublishOutcome outcome)
    {
        lock (_lock)
        {
            // Tags below the first belong to a batch that was given up; nobody asks for them any more.
            if (tag < _first || tag - _first >= (ulong)_which.Length)
                return Task.CompletedTask;

            var last = (int)(tag - _first);
            if (multiple)
            {
                for (; _settledTo <= last; _settledTo++)
                    Settle(_settledTo, outcome);
            }
            else
            {
                Settle(last, outcome);
            }
        }

        return Task.CompletedTask;
    }

    private void Settle(int place, PublishOutcome outcome)
    {
        // One that was confirmed by itself is covered by a later "all up to here" once more.
        if (_settled[place])
            return;
        _settled[place] = true;

        // A returned message is confirmed as well, afterwards: the return is what counts.
        ref var known = ref _outcomes[_which[place]];
        if (known.Status == PublishStatus.Unsent)
            known = outcome;
        if (--_open == 0)
            _done.TrySetResult();
    }

    // The broker returns a message before it confirms it. Two rows may carry the same message id, so the first that is
    // still open and fits is the one.
    private Task Return(BasicReturnEventArgs returned)
    {
        lock (_lock)
        {
            foreach (var place in _which)
            {
                var message = _messages[place];
                if (
                    _outcomes[place].Status == PublishStatus.Unsent
                    && message.Exchange == returned.Exchange
                    && message.MessageId.ToString() == returned.BasicProperties.MessageId
                )
                {
                    _outcomes[place] = PublishOutcome.Refused(
                        $"{returned.ReplyCode} {returned.ReplyText}: no queue is bound"
                    );
                    break;
                }
            }
        }

        return Task.CompletedTask;
    }

    private Task Abandon()
    {
        lock (_lock)
            _done.TrySetResult();
        return Task.CompletedTask;
    }
}
