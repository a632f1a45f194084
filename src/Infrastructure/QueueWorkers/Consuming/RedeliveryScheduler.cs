using MassTransit;
using MassTransit.Configuration;
using MassTransit.Context;
using MassTransit.Middleware;
using MassTransit.Middleware.Outbox;
using MassTransit.Scheduling;
using MassTransit.Transports;
using QueueWorkers.Clocks;
using QueueWorkers.Consuming.Tracing;
using QueueWorkers.FlowControl;
using QueueWorkers.GroupCommit;
using QueueWorkers.Outbox;
using QueueWorkers.Outbox.Relaying;
using QueueWorkers.Steps.Runs;
using QueueWorkers.Telemetry;

namespace QueueWorkers.Consuming;

/// <summary>
/// Gives MassTransit's scheduled redelivery a scheduler that writes outbox rows with a due time. No broker plugin is
/// needed, and a delayed message survives what the outbox survives.
/// A crash between the row and the ack brings the message twice; the idempotency table drops one.
/// </summary>
internal sealed class RedeliveryScheduler(OutboxWriter outbox)
    : IFilter<ConsumeContext>,
        IPipeSpecification<ConsumeContext>
{
    public void Apply(IPipeBuilder<ConsumeContext> builder) => builder.AddFilter(this);

    public IEnumerable<ValidationResult> Validate() => [];

    public void Probe(ProbeContext context) => context.CreateFilterScope("outboxScheduler");

    public Task Send(ConsumeContext context, IPipe<ConsumeContext> next)
    {
        context.GetOrAddPayload<MessageSchedulerContext>(() =>
            new ConsumeMessageSchedulerContext(context, consumed => CreateScheduler(outbox, consumed))
        );
        return next.Send(context);
    }

    // Scheduled by the consumer itself: part of its run. Scheduled by the redelivery filter, after the run has failed:
    // a row of its own.
    private static MessageScheduler CreateScheduler(OutboxWriter outbox, ConsumeContext context) =>
        new MessageScheduler(
            new DelayedScheduleMessageProvider(
                context is OutboxSendContext ? context : new Endpoints(context, new DirectSink(context, outbox))
            ),
            context.GetPayload<IBusTopology>()
        );

    private sealed class Endpoints(ConsumeContext context, OutboxSendContext sink) : ISendEndpointProvider
    {
        public ConnectHandle ConnectSendObserver(ISendObserver observer) => context.ConnectSendObserver(observer);

        public async Task<ISendEndpoint> GetSendEndpoint(Uri address) =>
            new ConsumeSendEndpoint(
                new OutboxSendEndpoint(
                    sink,
                    await context.ReceiveContext.SendEndpointProvider.GetSendEndpoint(address)
                ),
                context,
                default
            );
    }

    // If the database is away the message stays with us until it is back: failing here would dead-letter it for a fault
    // that is not its own.
    private sealed class DirectSink(ConsumeContext consumed, OutboxWriter outbox) : OutboxSendContext
    {
        public Task AddSend<T>(SendContext<T> context)
            where T : class
        {
            // MassTransit takes along what stands in the envelope, and the keys do not: without them the next attempt
            // would be under no limit of its key.
            foreach (
                var header in consumed.ReceiveContext.TransportHeaders.GetAll().Where(h => MessageKeys.IsHeader(h.Key))
            )
                context.Headers.Set(header.Key, header.Value);
            var delay = StepSchedule.Redelivered(
                context.Delay ?? TimeSpan.Zero,
                RequestedWait.Of(consumed),
                consumed.GetOriginalMessageId() ?? Guid.Empty,
                consumed.GetRedeliveryCount()
            );
            // First attempts go first: a backlog of retries must not stand in front of what is new. What follows from
            // the message keeps the class it had.
            var original = Deferral.ClassOf(consumed);
            context.Headers.Set(Deferral.Class, (long)(original ?? PriorityBatcher.Normal));
            context.Headers.Set(Deferral.Cause, Deferral.NameOf(DeferralCause.Redelivery));
            context.Headers.Set(Deferral.Since, DatabaseClock.UtcNow.ToUnixTimeMilliseconds());
            foreach (var (name, value) in Deferral.KeptNotes(consumed))
                context.Headers.Set(name, value);
            // The trace goes on where the message was created, and the next attempt is linked to this one.
            foreach (var name in (string[])[TraceHeaders.Parent, TraceHeaders.ForeignParent, TraceHeaders.State])
            {
                if (LastAttempt.HeaderOf(consumed, name) is { } value)
                    context.Headers.Set(name, value);
            }

            foreach (var (name, value) in LastAttempt.Notes(consumed))
                context.Headers.Set(name, value);
            var row = SendContextRow.From(context, delay, Deferral.Behind(original), isNew: false);
            return DatabaseRetry.RunAsync(
                () => outbox.InsertAsync(row, consumed.CancellationToken),
                consumed.CancellationToken
            );
        }

        public object? GetService(Type serviceType) => null;
    }
}
