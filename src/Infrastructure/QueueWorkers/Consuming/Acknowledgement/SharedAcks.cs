using MassTransit;
using MassTransit.Configuration;
using MassTransit.Middleware;
using MassTransit.RabbitMqTransport;
using RabbitMQ.Client;

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
internal sealed class SharedAcks : IFilter<ChannelContext>, IPipeSpecification<ChannelContext>
{
    public void Apply(IPipeBuilder<ChannelContext> builder) => builder.AddFilter(this);

    public IEnumerable<ValidationResult> Validate() => [];

    // Delivery tags count per channel, and a channel that was lost comes again as a new context.
    public Task Send(ChannelContext context, IPipe<ChannelContext> next) => next.Send(new SharingChannel(context));

    public void Probe(ProbeContext context) => context.CreateFilterScope("shared-acks");

    private sealed class SharingChannel(ChannelContext inner) : ProxyPipeContext(inner), ChannelContext
    {
        private readonly Lock _lock = new();
        private readonly SettledTags _settled = new();
        private List<ulong> _noted = [];
        private List<ulong> _spare = [];
        private TaskCompletionSource? _sent;
        private bool _sending;

        public IChannel Channel => inner.Channel;

        public ConnectionContext ConnectionContext => inner.ConnectionContext;

        public ValueTask BasicAck(ulong deliveryTag, bool multiple, CancellationToken cancellationToken)
        {
            if (multiple)
                return inner.BasicAck(deliveryTag, multiple, cancellationToken);

            lock (_lock)
            {
                _noted.Add(deliveryTag);
                _sent ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                if (!_sending)
                {
                    _sending = true;
                    // Behind the work that is queued already: the other messages of the same commit are about to ack
                    // too.
                    ThreadPool.UnsafeQueueUserWorkItem(
                        static channel => _ = channel.SendAsync(),
                        this,
                        preferLocal: false
                    );
                }

                return new ValueTask(_sent.Task);
            }
        }

        public async Task BasicNack(ulong deliveryTag, bool multiple, bool requeue, CancellationToken cancellationToken)
        {
            await inner.BasicNack(deliveryTag, multiple, requeue, cancellationToken);
            // Only now: an "all up to" that overtook the nack would acknowledge what was to be given back.
            lock (_lock)
                _settled.Settle(deliveryTag);
        }

        public Task BasicPublishAsync(
            string exchange,
            string routingKey,
            bool mandatory,
            BasicProperties basicProperties,
            byte[] body,
            bool awaitAck,
            CancellationToken cancellationToken
        ) =>
            inner.BasicPublishAsync(
                exchange,
                routingKey,
                mandatory,
                basicProperties,
                body,
                awaitAck,
                cancellationToken
            );

        public Task ExchangeBind(
            string destination,
            string source,
            string routingKey,
            IDictionary<string, object> arguments,
            CancellationToken cancellationToken
        ) => inner.ExchangeBind(destination, source, routingKey, arguments, cancellationToken);

        public Task ExchangeDeclare(
            string exchange,
            string type,
            bool durable,
            bool autoDelete,
            IDictionary<string, object> arguments,
            CancellationToken cancellationToken
        ) => inner.ExchangeDeclare(exchange, type, durable, autoDelete, arguments, cancellationToken);

        public Task ExchangeDeclarePassive(string exchange, CancellationToken cancellationToken) =>
            inner.ExchangeDeclarePassive(exchange, cancellationToken);

        public Task QueueBind(
            string queue,
            string exchange,
            string routingKey,
            IDictionary<string, object> arguments,
            CancellationToken cancellationToken
        ) => inner.QueueBind(queue, exchange, routingKey, arguments, cancellationToken);

        public Task<QueueDeclareOk> QueueDeclare(
            string queue,
            bool durable,
            bool exclusive,
            bool autoDelete,
            IDictionary<string, object> arguments,
            CancellationToken cancellationToken
        ) => inner.QueueDeclare(queue, durable, exclusive, autoDelete, arguments, cancellationToken);

        public Task<QueueDeclareOk> QueueDeclarePassive(string queue, CancellationToken cancellationToken) =>
            inner.QueueDeclarePassive(queue, cancellationToken);

        public Task<uint> QueuePurge(string queue, CancellationToken cancellationToken) =>
            inner.QueuePurge(queue, cancellationToken);

        public Task BasicQos(
            uint prefetchSize,
            ushort prefetchCount,
            bool global,
            CancellationToken cancellationToken
        ) => inner.BasicQos(prefetchSize, prefetchCount, global, cancellationToken);

        public Task<string> BasicConsume(
            string queue,
            bool noAck,
            bool exclusive,
            IDictionary<string, object> arguments,
            IAsyncBasicConsumer consumer,
            string consumerTag,
            CancellationToken cancellationToken
        ) => inner.BasicConsume(queue, noAck, exclusive, arguments, consumer, consumerTag, cancellationToken);

        public Task BasicCancel(string consumerTag, CancellationToken cancellationToken) =>
            inner.BasicCancel(consumerTag, cancellationToken);

        public void NotifyFaulted(Exception exception, Uri inputAddress) =>
            inner.NotifyFaulted(exception, inputAddress);

        // Never throws: what goes wrong goes to those who wait for their ack. Never cancelled either: at a stop the
        // context's token ends before the last acks, and what is committed and not acked would be delivered once more.
        private async Task SendAsync()
        {
            while (Take() is var (tags, sent))
            {
                try
                {
                    if (tags.Count == 1)
                        await inner.BasicAck(tags[0], multiple: false, CancellationToken.None);
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
                await inner.BasicAck(tags[together - 1], multiple: together > 1, CancellationToken.None);
            for (var i = together; i < tags.Count; i++)
                await inner.BasicAck(tags[i], multiple: false, CancellationToken.None);
        }
    }
}
