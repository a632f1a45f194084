using MassTransit;
using Orders.Contracts;
using QueueWorkers.Steps;

namespace Orders.Infrastructure.Tests.FifthStep;

/// <summary>Adds the order's points to the customer's account.</summary>
public sealed class LoyaltyStep : IConsumer<OrderAccepted>, IStep
{
    /// <inheritdoc />
    public static StepPolicy Policy => new("loyalty");

    /// <inheritdoc />
    public async Task Consume(ConsumeContext<OrderAccepted> context) =>
        await context.Publish(new PointsEarned(context.Message.OrderId, 10));
}
