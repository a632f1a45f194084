using MassTransit;
using Orders.Contracts;
using QueueWorkers.Steps;

namespace Orders.Bench.Micro;

/// <summary>A step that does nothing.</summary>
public sealed class LightStep : IConsumer<OrderAccepted>, IStep
{
    public static StepPolicy Policy => new("light") { Concurrency = 300 };

    public Task Consume(ConsumeContext<OrderAccepted> context) => Task.CompletedTask;
}
