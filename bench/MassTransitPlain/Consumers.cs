using MassTransit;

namespace Orders.Bench.MassTransitPlain;

// Four light steps: each leaves one row, inventory moves stock as well.

public sealed class EmailConsumer(OrderStore store) : IConsumer<OrderAccepted>
{
    public Task Consume(ConsumeContext<OrderAccepted> context) =>
        store.SaveEffectAsync(context.Message.OrderId, "email", context.CancellationToken);
}

public sealed class InventoryConsumer(OrderStore store) : IConsumer<OrderAccepted>
{
    public Task Consume(ConsumeContext<OrderAccepted> context) =>
        store.ReserveStockAsync(context.Message.OrderId, context.Message.Lines, context.CancellationToken);
}

public sealed class InvoiceConsumer(OrderStore store) : IConsumer<OrderAccepted>
{
    public Task Consume(ConsumeContext<OrderAccepted> context) =>
        store.SaveEffectAsync(context.Message.OrderId, "invoice", context.CancellationToken);
}

public sealed class WarehouseConsumer(OrderStore store) : IConsumer<OrderAccepted>
{
    public Task Consume(ConsumeContext<OrderAccepted> context) =>
        store.SaveEffectAsync(context.Message.OrderId, "warehouse", context.CancellationToken);
}
