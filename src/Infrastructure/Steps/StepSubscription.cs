using MassTransit.RabbitMqTransport;
using Microsoft.Extensions.Logging;
using Orders.Infrastructure.Controls;
using Orders.Infrastructure.Hosting;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;

namespace Orders.Infrastructure.Steps;

/// <summary>
/// Makes what a step takes from its queue follow its gate: closed, it takes nothing, so that messages wait where every replica, and priority, still has a say; open, it may hold as many
/// as may run. Only the subscription at the broker is ended and begun anew; MassTransit's consumer stays, and so does the channel. So a run that is under way when the step is paused, or its
/// limit changed, simply ends: nothing cancels it, its ack goes out on the channel that it came by, and others begin beside it. Until the subscription has followed, the gate itself keeps the new limit.
/// Dying at any line here loses nothing: what was delivered and not acked returns to the queue with the channel.
/// </summary>
#pragma warning disable CA1001 // Nobody asks the semaphore for its wait handle, so there is nothing to dispose; and a channel context has no end that could do it.
internal sealed class StepSubscription(StepGate gate, StepConsumption consumption, ChannelContext channel, ILogger logger, CancellationToken stopping)
#pragma warning restore CA1001
{
    private readonly SemaphoreSlim _turn = new(1, 1);
    private Subscriber? _subscriber;
    private string _name = "";
    private string? _tag;
    private int _prefetch;
    private int _count;
    private bool _ended;
    private volatile bool _cancelled;

    /// <summary>In place of MassTransit's own subscription. Waits for the first poll: before it nobody knows whether the step is paused.</summary>
    /// <returns>The name by which MassTransit knows the consumer; the broker never hears it.</returns>
    public async Task<string> BeginAsync(Queue queue, string consumerTag, IAsyncBasicConsumer consumer, CancellationToken cancellationToken)
    {
        // A process that stops before it ever saw the database must not wait for it here.
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, stopping);
        await gate.Known.WaitAsync(either.Token);
        _name = consumerTag.Length > 0 ? consumerTag : $"{gate.Step.Name}-{Guid.NewGuid():N}";
        _subscriber = new Subscriber(this, queue, consumer);
        // Before the first delivery, and for a step that is paused too: the endpoint is ready, there is just nothing for it to do.
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

    private void Delivered() => consumption.Delivered();

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
        var limit = gate.Limit;
        if (_ended || _cancelled || stopping.IsCancellationRequested || !channel.Channel.IsOpen || limit == (_tag is null ? 0 : _prefetch))
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
        var (queue, subscriber) = (_subscriber!.Queue, _subscriber);
        _tag = await channel.BasicConsume(queue.Name, queue.NoAck, queue.Exclusive, queue.Arguments, subscriber, $"{_name}.{++_count}", cancellationToken);
        _prefetch = limit;
    }

    /// <summary>What MassTransit wanted to subscribe to.</summary>
    internal sealed record Queue(string Name, bool NoAck, bool Exclusive, IDictionary<string, object> Arguments);

    // MassTransit's consumer, without the beginnings and ends of subscriptions that are none of its own.
    private sealed class Subscriber(StepSubscription subscription, Queue queue, IAsyncBasicConsumer consumer) : IAsyncBasicConsumer
    {
        public Queue Queue => queue;

        public IAsyncBasicConsumer Consumer => consumer;

        public IChannel? Channel => consumer.Channel;

        public Task HandleBasicConsumeOkAsync(string consumerTag, CancellationToken cancellationToken) => Task.CompletedTask;

        public Task HandleBasicCancelOkAsync(string consumerTag, CancellationToken cancellationToken) => Task.CompletedTask;

        // By the broker: the queue was deleted. MassTransit begins anew on another channel and declares the queue there.
        public Task HandleBasicCancelAsync(string consumerTag, CancellationToken cancellationToken)
        {
            subscription._cancelled = true;
            return consumer.HandleBasicCancelAsync(consumerTag, cancellationToken);
        }

        public Task HandleChannelShutdownAsync(object channel, ShutdownEventArgs reason) => consumer.HandleChannelShutdownAsync(channel, reason);

        public Task HandleBasicDeliverAsync(
            string consumerTag, ulong deliveryTag, bool redelivered, string exchange, string routingKey, IReadOnlyBasicProperties properties, ReadOnlyMemory<byte> body, CancellationToken cancellationToken)
        {
            subscription.Delivered();
            return consumer.HandleBasicDeliverAsync(consumerTag, deliveryTag, redelivered, exchange, routingKey, properties, body, cancellationToken);
        }
    }
}
