using MassTransit;
using Orders.Contracts;
using Orders.Infrastructure.Orders.Reading;
using Orders.Infrastructure.Steps;

namespace Orders.Workers.Warehouse;

/// <summary>Tells the warehouse to send the goods. No claim is needed: the warehouse knows a repeated call by its key, the message's id.</summary>
public sealed class WarehouseStep(OrderDetailsReader orders, WarehouseClient warehouse) : IConsumer<StockReserved>, IStep
{
    /// <inheritdoc />
    public static StepPolicy Policy => new("warehouse")
    {
        Redelivery = Redelivery.After(
            TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(2), TimeSpan.FromMinutes(10), TimeSpan.FromHours(1)),
        Concurrency = 20,
        Grants = [OrderDetailsReader.Grants],
    };

    /// <inheritdoc />
    public async Task Consume(ConsumeContext<StockReserved> context)
    {
        var run = context.Step();
        // A warehouse forgets its keys some day; an order that was told is not told again, even if its message is redriven years later.
        if (await orders.ReadUnlessDoneAsync(context.Message.OrderId, run.Effect, context.CancellationToken) is { } order)
            await warehouse.PostAsync(run.MessageId, PickList.Of(order), context.CancellationToken);
    }
}
