using MassTransit;
using Orders.Contracts;
using QueueWorkers.Steps;

namespace Orders.Infrastructure.Tests.Deployment;

/// <summary>A step in its first version, which reads the stock.</summary>
public sealed class LodgerStep : IConsumer<OrderAccepted>, IStep
{
    public static StepPolicy Policy =>
        new("lodger") { Grants = ["SELECT ON stock", "select (sku, name) on catalogue"] };

    public Task Consume(ConsumeContext<OrderAccepted> context) => Task.CompletedTask;
}

/// <summary>The same step in its second version, which does not read the stock any more.</summary>
public sealed class NewLodgerStep : IConsumer<OrderAccepted>, IStep
{
    public static StepPolicy Policy => new("lodger") { Grants = ["select on catalogue"] };

    public Task Consume(ConsumeContext<OrderAccepted> context) => Task.CompletedTask;
}

/// <summary>A step that only the second version has.</summary>
public sealed class GiftStep : IConsumer<OrderAccepted>, IStep
{
    public static StepPolicy Policy => new("gift");

    public Task Consume(ConsumeContext<OrderAccepted> context) => Task.CompletedTask;
}

/// <summary>A step whose grant names a table that no migration has made.</summary>
public sealed class BrokenStep : IConsumer<OrderAccepted>, IStep
{
    public static StepPolicy Policy => new("broken") { Grants = ["select on nowhere"] };

    public Task Consume(ConsumeContext<OrderAccepted> context) => Task.CompletedTask;
}
