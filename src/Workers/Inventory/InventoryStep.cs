using MassTransit;
using Orders.Contracts;
using Orders.Infrastructure.Inventory;
using QueueWorkers.Steps;

namespace Orders.Workers.Inventory;

/// <summary>
/// Reserves the stock of an order: all lines or none. Nothing but rows, so the decision is made where the rows are
/// locked, for many orders at once; too little stock is a refusal (<see cref="StockRejected"/>), not a fault.
/// </summary>
public sealed class InventoryStep : IConsumer<OrderAccepted>, IConsumer<OrderCancelled>, IStep
{
    /// <inheritdoc />
    public static StepPolicy Policy =>
        new("inventory")
        {
            Redelivery = Redelivery.Exponential(6, TimeSpan.FromSeconds(2)),
            Timeout = TimeSpan.FromSeconds(30),
            Concurrency = 300,
            Compensations = [typeof(OrderCancelled)],
            Grants = ReserveStock.Grants,
        };

    /// <inheritdoc />
    public Task Consume(ConsumeContext<OrderAccepted> context)
    {
        context.Step().Write = new ReserveStock(context.Message.OrderId);
        return Task.CompletedTask;
    }

    /// <summary>
    /// Gives back what was reserved. If it was not reserved yet, nothing is done: a reservation that comes too late
    /// asks for this once more.
    /// </summary>
    public async Task Consume(ConsumeContext<OrderCancelled> context)
    {
        var step = context.Step();
        if ((await step.Effect.StateAsync(context.CancellationToken)).IsDone)
            step.Write = new ReleaseStock(context.Message.OrderId);
        else
            step.NothingToDo();
    }
}
