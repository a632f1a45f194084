using Orders.Infrastructure.Reading;
using Orders.Infrastructure.Webhooks;
using QueueWorkers.Monitoring;

namespace Orders.Dashboard.OrderPages;

/// <summary>What the case file is made of.</summary>
/// <param name="Order">The order; null when there is none.</param>
/// <param name="Outbox">Its messages that have not reached the broker.</param>
public sealed record CaseFile(OrderDetails? Order, IReadOnlyList<OutboxEntry> Outbox)
{
    /// <summary>The deliveries to web hooks of its client.</summary>
    public IReadOnlyList<DeliveryState> Deliveries { get; init; } = [];

    /// <summary>Which messages start which steps.</summary>
    public StepFlow? Flow { get; init; }

    /// <summary>When there is no order of this id but a delivery: the order that it is about.</summary>
    public Guid? DeliveryOf { get; init; }
}

/// <summary>Reads case files.</summary>
internal sealed class CaseFileReader(
    OrderDetailsReader cases,
    OutboxReader outbox,
    WebhookDeliveryReader deliveries,
    StepFlowReader flow
)
{
    private const int MostOutboxRows = 50_000;

    /// <summary>Reads one.</summary>
    /// <exception cref="Npgsql.NpgsqlException">The database cannot be read.</exception>
    public async Task<CaseFile> ReadAsync(Guid id, CancellationToken cancellationToken)
    {
        if (await cases.FindAsync(id, cancellationToken) is not { } order)
            return new CaseFile(null, []) { DeliveryOf = await deliveries.OrderOfAsync(id, cancellationToken) };
        return new CaseFile(order, await outbox.OfSubjectAsync(id, MostOutboxRows, cancellationToken))
        {
            Deliveries = await deliveries.OfOrderAsync(id, cancellationToken),
            Flow = await flow.ReadAsync(cancellationToken),
        };
    }
}
