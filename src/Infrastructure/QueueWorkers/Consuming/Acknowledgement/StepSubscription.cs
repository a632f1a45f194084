using System.Globalization;
using MassTransit.RabbitMqTransport;
using Microsoft.Extensions.Logging;
using QueueWorkers.Background;
using QueueWorkers.Clocks;
using QueueWorkers.Consuming.Limits;
using QueueWorkers.FlowControl.Gates;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;

namespace QueueWorkers.Consuming.Acknowledgement;

/// <summary>
/// Makes what a step takes from its queue follow its gate: closed, it takes nothing, so that messages wait where every
/// replica, and priority, still has a say; open, it may hold as many as may run. Only the subscription at the broker is
/// ended and begun anew; MassTransit's consumer stays, and so does the channel. So a run that is under way when the
/// step is paused, or its limit changed, simply ends: nothing cancels it, its ack goes out on the channel that it came
/// by, and others begin beside it. Until the subscription has followed, the gate itself keeps the new limit.
/// It follows the size of the messages too: so many are taken at once as fit into the process's bytes in flight. What
/// came before that was known goes back to the queue, and what is larger than allowed is dead-lettered unread.
/// Dying at any line here loses nothing: what was delivered and not acked returns to the queue with the channel.
/// </summary>
#pragma warning disable CA1001 // Nobody asks the semaphore for its wait handle, so there is nothing to dispose; and a channel context has no end that could do it.
internal sealed class StepSubscription(
    StepGate gate,
    StepConsumption consumption,
    DeliveryLimits limits,
    ChannelContext channel,
    SharedAcks acks,
    ILogger logger,
    CancellationToken stopping
)
#pragma warning restore CA1001
{
    private static readonly TimeSpan Apart = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim _turn = new(1, 1);
    private Subscriber? _subscriber;
    private string _name = "";
    private string? _tag;
    private int _prefetch;
    private int _count;
    private bool _ended;
    private volatile bool _cancelled;

    // The largest message lately; how many came since that was looked at, and the largest of those.
    private readonly Lock _sizes = new();
    private int _largest = 1;
    private int _largestSince = 1;
    private int _since;

    /// <summary>
    /// In place of MassTransit's own subscription. Waits for the first poll: before it nobody knows whether the step is
    /// paused.
    /// </summary>
    /// <returns>The name by which MassTransit knows the consumer; the broker never hears it.</returns>
    public async Task<string> BeginAsync(
        Queue queue,
        string consumerTag,
        IAsyncBasicConsumer consumer,
        CancellationToken cancellationToken
    )
    {
        // A process that stops before it ever saw the database must not wait for it here.
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, stopping);
        await gate.Known.WaitAsync(either.Token);
        _name = consumerTag.Length > 0 ? consumerTag : $"{gate.Step.Name}-{Guid.NewGuid():N}";
        _subscriber = new Subscriber(this, queue, consumer, 0);
        // Before the first delivery, and for a step that is paused too: the endpoint is ready, there is just nothing
        // for it to do.
        await consumer.HandleBasicConsumeOkAsync(_name, either.Token);
        gate.Changed = Follow;
        consumption.Begin(() => _tag is not null && !_cancelled && channel.Channel.IsOpen);
        await _turn.WaitAsync(either.Token);
        try
        {
            await SwitchAsync(either.Token);
        }
        finally
        {
            _turn.Release();
        }

        return _name;
    }

    /// <summary>MassTransit stops: takes nothing more, for good.</summary>
    public async Task EndAsync(CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            _ended = true;
            if (_tag is { } tag)
                await channel.BasicCancel(tag, cancellationToken);
            _tag = null;
        }
        finally
        {
            _turn.Release();
        }

        await _subscriber!.Consumer.HandleBasicCancelOkAsync(_name, cancellationToken);
    }

    // Whether the message may be held here. A large one that came when nobody knew goes back, and fewer are taken from
    // then on; after as many small ones as two prefetches, more again.
    private bool Delivered(int bytes, int prefetch)
    {
        consumption.Delivered();
        var follow = false;
        lock (_sizes)
        {
            _largestSince = Math.Max(_largestSince, bytes);
            var before = limits.PrefetchFor(_largest);
            if (bytes > _largest)
                _largest = bytes;
            else if (++_since > 2 * prefetch)
                (_largest, _largestSince, _since) = (_largestSince, 1, 0);
            follow = Math.Min(limits.PrefetchFor(_largest), gate.Limit) != Math.Min(before, gate.Limit);
        }

        if (follow)
            Follow();
        return prefetch <= Math.Max(1, limits.PrefetchFor(bytes));
    }

    private Task GiveBackAsync(ulong deliveryTag, CancellationToken cancellationToken) =>
        acks.NackAsync(deliveryTag, requeue: true, cancellationToken);

    private ValueTask<IDisposable> TakeAsync(int bytes, CancellationToken cancellationToken) =>
        limits.InFlight.TakeAsync(bytes, cancellationToken);

    private bool IsTooLarge(int bytes) => bytes > limits.LargestMessage;

    // As MassTransit does it after a fault, and without reading a byte. Where the queue cannot be written, the message
    // goes back, a second later: in a circle as slow as that of DeadLetterBackoff.
    private async Task DeadLetterUnreadAsync(
        ulong deliveryTag,
        IReadOnlyBasicProperties received,
        ReadOnlyMemory<byte> body,
        CancellationToken cancellationToken
    )
    {
        var step = gate.Step.Name;
        var says =
            $"The body is {body.Length} bytes, more than the {limits.LargestMessage} that a message may have (Consuming__LargestMessage). It was not read.";
        var headers = new Dictionary<string, object?>(received.Headers ?? new Dictionary<string, object?>())
        {
            ["MT-Reason"] = "fault",
            ["MT-Fault-ExceptionType"] = "MessageTooLarge",
            ["MT-Fault-Message"] = says,
            ["MT-Fault-Timestamp"] = DatabaseClock.UtcNow.ToString("O", CultureInfo.InvariantCulture),
        };
        try
        {
            await channel.BasicPublishAsync(
                $"{step}_error",
                "",
                mandatory: true,
                // Without a time to live of its own, and without the name of the user who published it: the first would
                // end its time in the dead-letter queue, and the broker refuses the second from anybody else.
                new BasicProperties(received)
                {
                    Headers = headers,
                    Expiration = null,
                    UserId = null,
                },
                body.ToArray(),
                awaitAck: true,
                cancellationToken
            );
            await acks.AckAsync(deliveryTag);
            StepLog.TooLarge(logger, step, received.MessageId ?? "", body.Length, limits.LargestMessage);
        }
#pragma warning disable CA1031 // Whatever it was, the message is still ours to give back; a closed channel has done that already.
        catch (Exception fault) when (channel.Channel.IsOpen && !cancellationToken.IsCancellationRequested)
#pragma warning restore CA1031
        {
            StepLog.CannotRefuse(logger, step, received.MessageId ?? "", fault.Message);
            await Task.Delay(Apart, cancellationToken);
            await acks.NackAsync(deliveryTag, requeue: true, cancellationToken);
        }
    }

    private void Follow() => _ = BackgroundLoop.Run($"subscription of {gate.Step.Name}", FollowAsync);

    private async Task FollowAsync()
    {
        await _turn.WaitAsync(CancellationToken.None);
        try
        {
            await SwitchAsync(stopping);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The process ends, and MassTransit ends the subscription with it.
        }
#pragma warning disable CA1031 // Whatever it was, the consumer is in an unknown state: MassTransit is told that it is gone, and begins anew on another channel.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            StepLog.SwitchFailed(logger, gate.Step.Name, exception);
            _ended = true;
            await _subscriber!.Consumer.HandleBasicCancelAsync(_name, CancellationToken.None);
        }
        finally
        {
            _turn.Release();
        }
    }

    // Whoever comes here later finds the limit that holds then: several changes at once are one switch, or none.
    private async Task SwitchAsync(CancellationToken cancellationToken)
    {
        int limit;
        lock (_sizes)
            limit = Math.Min(gate.Limit, limits.PrefetchFor(_largest));
        if (
            _ended
            || _cancelled
            || stopping.IsCancellationRequested
            || !channel.Channel.IsOpen
            || limit == (_tag is null ? 0 : _prefetch)
        )
            return;
        if (_tag is { } tag)
        {
            _tag = null;
            await channel.BasicCancel(tag, cancellationToken);
        }

        if (limit == 0)
            return;
        // A prefetch holds for the consumers that begin after it.
        await channel.BasicQos(0, (ushort)limit, global: false, cancellationToken);
        var (queue, subscriber) = (
            _subscriber!.Queue,
            new Subscriber(this, _subscriber.Queue, _subscriber.Consumer, limit)
        );
        _tag = await channel.BasicConsume(
            queue.Name,
            queue.NoAck,
            queue.Exclusive,
            queue.Arguments,
            subscriber,
            $"{_name}.{++_count}",
            cancellationToken
        );
        _prefetch = limit;
    }

    /// <summary>What MassTransit wanted to subscribe to.</summary>
    internal sealed record Queue(string Name, bool NoAck, bool Exclusive, IDictionary<string, object> Arguments);

    // MassTransit's consumer, without the beginnings and ends of subscriptions that are none of its own.
    private sealed class Subscriber(
        StepSubscription subscription,
        Queue queue,
        IAsyncBasicConsumer consumer,
        int prefetch
    ) : IAsyncBasicConsumer
    {
        public Queue Queue => queue;

        public IAsyncBasicConsumer Consumer => consumer;

        public IChannel? Channel => consumer.Channel;

        public Task HandleBasicConsumeOkAsync(string consumerTag, CancellationToken cancellationToken) =>
            Task.CompletedTask;

        public Task HandleBasicCancelOkAsync(string consumerTag, CancellationToken cancellationToken) =>
            Task.CompletedTask;

        // By the broker: the queue was deleted. MassTransit begins anew on another channel and declares the queue
        // there.
        public Task HandleBasicCancelAsync(string consumerTag, CancellationToken cancellationToken)
        {
            subscription._cancelled = true;
            return consumer.HandleBasicCancelAsync(consumerTag, cancellationToken);
        }

        public Task HandleChannelShutdownAsync(object channel, ShutdownEventArgs reason) =>
            consumer.HandleChannelShutdownAsync(channel, reason);

        public async Task HandleBasicDeliverAsync(
            string consumerTag,
            ulong deliveryTag,
            bool redelivered,
            string exchange,
            string routingKey,
            IReadOnlyBasicProperties properties,
            ReadOnlyMemory<byte> body,
            CancellationToken cancellationToken
        )
        {
            if (!subscription.Delivered(body.Length, prefetch))
            {
                await subscription.GiveBackAsync(deliveryTag, cancellationToken);
                return;
            }

            // The body is the client's memory until this method ends.
            using var held = await subscription.TakeAsync(body.Length, cancellationToken);
            if (subscription.IsTooLarge(body.Length))
                await subscription.DeadLetterUnreadAsync(deliveryTag, properties, body, cancellationToken);
            else
                await consumer.HandleBasicDeliverAsync(
                    consumerTag,
                    deliveryTag,
                    redelivered,
                    exchange,
                    routingKey,
                    properties,
                    body,
                    cancellationToken
                );
        }
    }
}
