using MassTransit;
using Orders.Contracts;
using Orders.Infrastructure.Steps;

namespace Orders.Infrastructure.Tests.Completeness;

/// <summary>A step that begins with the order.</summary>
public sealed class WelcomeStep : IConsumer<OrderAccepted>, IStep
{
    public static StepPolicy Policy => new("welcome");

    public Task Consume(ConsumeContext<OrderAccepted> context) => Task.CompletedTask;
}

/// <summary>Another one, under the name of the step that moves stock.</summary>
public sealed class InventoryLikeStep : IConsumer<OrderAccepted>, IConsumer<OrderCancelled>, IStep
{
    public static StepPolicy Policy => new("inventory") { Compensations = [typeof(OrderCancelled)] };

    public Task Consume(ConsumeContext<OrderCancelled> context) => Task.CompletedTask;

    public Task Consume(ConsumeContext<OrderAccepted> context) => Task.CompletedTask;
}
