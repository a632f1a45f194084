using MassTransit;
using Orders.Contracts;
using Orders.Infrastructure.Inventory;
using QueueWorkers.Steps;

namespace Orders.Bench.LightSteps;

/// <summary>The confirmation mail without the mail.</summary>
public sealed class LightEmail : IConsumer<OrderAccepted>, IStep
{
    public static StepPolicy Policy => new("email") { Concurrency = 300 };

    public Task Consume(ConsumeContext<OrderAccepted> context) => Task.CompletedTask;
}

/// <summary>The real reservation.</summary>
public sealed class LightInventory : IConsumer<OrderAccepted>, IStep
{
    public static StepPolicy Policy => new("inventory") { Concurrency = 300 };

    public Task Consume(ConsumeContext<OrderAccepted> context)
    {
        context.Step().Write = new ReserveStock(context.Message.OrderId);
        return Task.CompletedTask;
    }
}

/// <summary>The invoice without its document.</summary>
public sealed class LightInvoice : IConsumer<StockReserved>, IStep
{
    public static StepPolicy Policy => new("invoice") { Concurrency = 300 };

    public Task Consume(ConsumeContext<StockReserved> context) => Task.CompletedTask;
}

/// <summary>The pick list without the webhook.</summary>
public sealed class LightWarehouse : IConsumer<StockReserved>, IStep
{
    public static StepPolicy Policy => new("warehouse") { Concurrency = 300 };

    public Task Consume(ConsumeContext<StockReserved> context) => Task.CompletedTask;
}
