using MassTransit;
using Orders.Contracts;
using Orders.Infrastructure.Reading;
using Orders.Workers.Warehouse;
using QueueWorkers.Steps;

namespace Orders.Chaos.Tests.Variants.Broken;

/// <summary>Makes up a new key for each attempt, so the warehouse cannot know a repetition.</summary>
internal sealed class ForgetfulWarehouseStep(OrderSnapshotReader orders, WarehouseClient warehouse)
    : IConsumer<StockReserved>,
        IStep
{
    public static StepPolicy Policy => new("warehouse") { Redelivery = WarehouseStep.Policy.Redelivery };

    public async Task Consume(ConsumeContext<StockReserved> context)
    {
        var order = await orders.ReadAsync(context.Message.OrderId, context.CancellationToken);
        await warehouse.PostAsync(Guid.NewGuid(), PickList.Of(order), context.CancellationToken);
    }
}
