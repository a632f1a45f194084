using MassTransit;
using Orders.Contracts;
using Orders.Infrastructure.Reading;
using QueueWorkers.Steps;

namespace Orders.Workers.Warehouse;

/// <summary>
/// Tells the warehouse to send the goods. No claim is needed: the warehouse knows a repeated call by its key, the
/// order's id, whichever message it comes from.
/// </summary>
public sealed class WarehouseStep(OrderSnapshotReader orders, WarehouseClient warehouse)
    : IConsumer<StockReserved>,
        IConsumer<OrderCancelled>,
        IStep
{
    /// <inheritdoc />
    public static StepPolicy Policy =>
        new("warehouse")
        {
            Redelivery = Redelivery.After(
                TimeSpan.FromSeconds(2),
                TimeSpan.FromSeconds(10),
                TimeSpan.FromSeconds(30),
                TimeSpan.FromMinutes(2),
                TimeSpan.FromMinutes(10),
                TimeSpan.FromHours(1)
            ),
            Concurrency = 20,
            // A call that is in progress (PickListBusyException) is not among its faults: it concerns one order.
            DependsOn = new Dependency("warehouse", typeof(WarehouseUnavailableException)),
            Compensations = [typeof(OrderCancelled)],
            Grants = [OrderSnapshotReader.Grants],
        };

    /// <inheritdoc />
    public async Task Consume(ConsumeContext<StockReserved> context)
    {
        var step = context.Step();
        // A warehouse forgets its keys some day; an order that was told is not told again, even if its message is
        // redriven years later.
        if (
            await orders.ReadUnlessDoneAsync(context.Message.OrderId, step.Effect.Name, context.CancellationToken)
            is not { } order
        )
            return;
        step.StopIf(order.IsCancelled);
        await warehouse.PostAsync(step.SubjectId, PickList.Of(order), context.CancellationToken);
    }

    /// <summary>
    /// Recalls the pick list wherever the warehouse may have it: the step is done, or an attempt was made, or it was
    /// left out (an attempt may have died after its call).
    /// A warehouse that has no such list keeps the recall and refuses the list should it still come.
    /// </summary>
    public async Task Consume(ConsumeContext<OrderCancelled> context)
    {
        var step = context.Step();
        if ((await step.Effect.StateAsync(context.CancellationToken)).Status is null)
            step.NothingToDo();
        else
            await warehouse.RecallAsync(new Recall(context.Message.OrderId), context.CancellationToken);
    }
}
