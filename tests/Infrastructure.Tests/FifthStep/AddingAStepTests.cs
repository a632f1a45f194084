using Orders.Testing;
using Orders.Testing.Zoo;
using QueueWorkers.Steps;

namespace Orders.Infrastructure.Tests.FifthStep;

/// <summary>
/// What a fifth step costs: its file (<see cref="LoyaltyStep"/>), at most one contract (<see cref="PointsEarned"/>),
/// the line in the catalogue below, and a service in
/// <c>docker-compose.yml</c> (six lines, a host that runs it alone, as here). Nothing else names it, and everything
/// else knows it.
/// </summary>
public sealed class AddingAStepTests
{
    internal static readonly StepCatalogue Catalogue = ZooCatalogue
        .Of()
        .Add<LoyaltyStep>()
        .PublishesEvent<PointsEarned>();

    [Test]
    public async Task An_order_then_needs_five_steps()
    {
        await using var system = await OrdersSystem.CreateAsync(Catalogue);
        await using var api = await system.StartAsync("");
        await using var others = await system.StartAsync("hurried,patient,mother,careful");
        var points = await system.Broker.ListenAsync<PointsEarned>();
        var order = await system.PostAsync(api);
        foreach (var step in ZooCatalogue.Of().Steps)
            await system.Broker.PublishToAsync(step.Name, new Feed(order));
        foreach (var step in ZooCatalogue.Of().Steps)
            await system.UntilAsync(order, step.Name, StepStatus.Done);
        Assert.That(
            await system.OrderStatusAsync(order),
            Is.EqualTo(OrderStatus.Processing),
            "four of five steps are done"
        );

        await using var loyalty = await system.StartAsync("loyalty");
        await system.UntilAsync(order, OrderStatus.Completed);
        await Eventually.That(() => system.Broker.CountAsync(points), Is.EqualTo(1u), "messages of the fifth step");
    }
}

/// <summary>The fifth step keeps what all steps keep, by this line.</summary>
public sealed class LoyaltyStepContractTests() : StepContract<LoyaltyStep>(AddingAStepTests.Catalogue);
