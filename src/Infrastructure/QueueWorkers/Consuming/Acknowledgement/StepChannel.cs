using MassTransit;
using MassTransit.Configuration;
using MassTransit.Middleware;
using MassTransit.RabbitMqTransport;
using Microsoft.Extensions.Logging;
using QueueWorkers.Consuming.Limits;
using QueueWorkers.FlowControl.Gates;
using RabbitMQ.Client;

namespace QueueWorkers.Consuming.Acknowledgement;

/// <summary>
/// Puts a <see cref="StepSubscription"/> and <see cref="SharedAcks"/> into each new channel of a step's endpoint.
/// </summary>
internal sealed class StepChannelFilter(
    StepGate gate,
    StepConsumption consumption,
    DeliveryLimits limits,
    ILogger logger,
    CancellationToken stopping
) : IFilter<ChannelContext>, IPipeSpecification<ChannelContext>
{
    public void Apply(IPipeBuilder<ChannelContext> builder) => builder.AddFilter(this);

    public IEnumerable<ValidationResult> Validate() => [];

    public void Probe(ProbeContext context) => context.CreateFilterScope("stepGate");

    public Task Send(ChannelContext context, IPipe<ChannelContext> next)
    {
        var acks = new SharedAcks(context);
        var subscription = new StepSubscription(gate, consumption, limits, context, acks, logger, stopping);
        return next.Send(new StepChannel(context, acks, subscription));
    }
}

/// <summary>
/// A channel whose subscription follows the step's gate, and whose acks are shared; everything else is the channel's
/// own.
/// </summary>
internal sealed class StepChannel(ChannelContext channel, SharedAcks acks, StepSubscription subscription)
    : ProxyPipeContext(channel),
        ChannelContext
{
    private const string OneByOne = "Deliveries of a step are settled one by one; see SharedAcks.";

    public IChannel Channel => channel.Channel;

    public ConnectionContext ConnectionContext => channel.ConnectionContext;

    // The prefetch is the gate's to decide, subscription by subscription.
    public Task BasicQos(uint prefetchSize, ushort prefetchCount, bool global, CancellationToken cancellationToken) =>
        Task.CompletedTask;

    // MassTransit acks and gives back one delivery at a time; SettledTags knows no others.
    public ValueTask BasicAck(ulong deliveryTag, bool multiple, CancellationToken cancellationToken) =>
        multiple ? throw new NotSupportedException(OneByOne) : new ValueTask(acks.AckAsync(deliveryTag));

    public Task BasicNack(ulong deliveryTag, bool multiple, bool requeue, CancellationToken cancellationToken) =>
        multiple ? throw new NotSupportedException(OneByOne) : acks.NackAsync(deliveryTag, requeue, cancellationToken);

    public Task<string> BasicConsume(
        string queue,
        bool noAck,
        bool exclusive,
        IDictionary<string, object> arguments,
        IAsyncBasicConsumer consumer,
        string consumerTag,
        CancellationToken cancellationToken
    ) =>
        subscription.BeginAsync(
            new StepSubscription.Queue(queue, noAck, exclusive, arguments),
            consumerTag,
            consumer,
            cancellationToken
        );

    public Task BasicCancel(string consumerTag, CancellationToken cancellationToken) =>
        subscription.EndAsync(cancellationToken);

    // The rest is the channel's own.

    public Task BasicPublishAsync(
        string exchange,
        string routingKey,
        bool mandatory,
        BasicProperties basicProperties,
        byte[] body,
        bool awaitAck,
        CancellationToken cancellationToken
    ) => channel.BasicPublishAsync(exchange, routingKey, mandatory, basicProperties, body, awaitAck, cancellationToken);

    public Task ExchangeBind(
        string destination,
        string source,
        string routingKey,
        IDictionary<string, object> arguments,
        CancellationToken cancellationToken
    ) => channel.ExchangeBind(destination, source, routingKey, arguments, cancellationToken);

    public Task ExchangeDeclare(
        string exchange,
        string type,
        bool durable,
        bool autoDelete,
        IDictionary<string, object> arguments,
        CancellationToken cancellationToken
    ) => channel.ExchangeDeclare(exchange, type, durable, autoDelete, arguments, cancellationToken);

    public Task ExchangeDeclarePassive(string exchange, CancellationToken cancellationToken) =>
        channel.ExchangeDeclarePassive(exchange, cancellationToken);

    public Task QueueBind(
        string queue,
        string exchange,
        string routingKey,
        IDictionary<string, object> arguments,
        CancellationToken cancellationToken
    ) => channel.QueueBind(queue, exchange, routingKey, arguments, cancellationToken);

    public Task<QueueDeclareOk> QueueDeclare(
        string queue,
        bool durable,
        bool exclusive,
        bool autoDelete,
        IDictionary<string, object> arguments,
        CancellationToken cancellationToken
    ) => channel.QueueDeclare(queue, durable, exclusive, autoDelete, arguments, cancellationToken);

    public Task<QueueDeclareOk> QueueDeclarePassive(string queue, CancellationToken cancellationToken) =>
        channel.QueueDeclarePassive(queue, cancellationToken);

    public Task<uint> QueuePurge(string queue, CancellationToken cancellationToken) =>
        channel.QueuePurge(queue, cancellationToken);

    public void NotifyFaulted(Exception exception, Uri inputAddress) => channel.NotifyFaulted(exception, inputAddress);
}
