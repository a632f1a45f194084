using MassTransit;
using MassTransit.Middleware;
using MassTransit.Middleware.Outbox;
using QueueWorkers.Outbox;
using QueueWorkers.Steps.Runs;

namespace QueueWorkers.Consuming;

/// <summary>
/// What a step consumes: whatever it publishes or sends, by the context or by an injected endpoint, becomes part of its
/// run.
/// </summary>
internal sealed class StepConsumeContext<T> : OutboxConsumeContextProxy<T>
    where T : class
{
    private readonly StepRun _run;

    public StepConsumeContext(
        ConsumeContext<T> context,
        OutboxConsumeOptions options,
        IServiceProvider provider,
        StepRun run,
        CancellationToken cancellationToken
    )
        : base(context, options, provider)
    {
        _run = run;
        CancellationToken = cancellationToken;
        AddOrUpdatePayload(() => run, _ => run);
    }

    public override CancellationToken CancellationToken { get; }

    // Where to answer and where to complain is not the sender's to say: what a step sends goes where its contract goes.
    public override Uri? ResponseAddress => null;

    public override Uri? FaultAddress => null;

    public override bool ContinueProcessing { get; set; } = true;

    // Duplicates are found in the commit, not before: one round trip less for every message that is none.
    public override bool IsMessageConsumed => false;

    public override bool IsOutboxDelivered => false;

    public override int ReceiveCount => _run.Attempt;

    public override long? LastSequenceNumber => null;

    public override Task AddSend<TMessage>(SendContext<TMessage> context)
    {
        context.CorrelationId ??= _run.SubjectId;
        foreach (var key in MessageKeys.DeclaredBy(typeof(TMessage)))
        {
            if (_run.Keys(key) is { } value)
                context.Headers.Set(MessageKeys.HeaderOf(key), value, overwrite: false);
        }

        _run.Add(SendContextRow.From(context));
        return Task.CompletedTask;
    }

    public override Task SetConsumed() => Task.CompletedTask;

    public override Task SetDelivered() => Task.CompletedTask;

    // Delivery is the relay's work; MassTransit's own delivery loop has nothing to do here.
    public override Task<List<OutboxMessageContext>> LoadOutboxMessages() =>
        Task.FromResult(new List<OutboxMessageContext>());

    public override Task NotifyOutboxMessageDelivered(OutboxMessageContext message) => Task.CompletedTask;

    public override Task RemoveOutboxMessages() => Task.CompletedTask;
}
