using Orders.Infrastructure.Intake;
using Orders.Testing;

namespace Orders.Infrastructure.Tests.FlowControl;

/// <summary>
/// Whoever posts a lot goes a lane lower, behind everybody who does not, and stays in the order's class.
/// </summary>
public sealed class CustomerFairnessTests
{
    [Test]
    public void A_flood_of_one_customer_goes_lower_and_another_customer_of_the_same_client_does_not_go_behind_it()
    {
        var lanes = new CustomerFairness();
        var flood = Enumerable
            .Range(0, 10_000)
            .Select(_ => lanes.PriorityOf(OrderOf("shop", "flood@example.com"), null) ?? 4)
            .ToArray();
        Assert.That(flood[..20], Is.All.EqualTo(4));
        Assert.That(flood.Count(lane => lane == 2), Is.GreaterThan(9_900));
        Assert.That(
            lanes.PriorityOf(OrderOf("shop", "quiet@example.com"), null) ?? 4,
            Is.GreaterThan(2),
            "another customer of the same client"
        );
        Assert.That(
            lanes.PriorityOf(OrderOf("other shop", "quiet@example.com"), null),
            Is.Null,
            "a customer of another client: the normal lane"
        );
    }

    [TestCase(OrderPriority.Premium, 5)]
    [TestCase(OrderPriority.PremiumReleased, 5)]
    [TestCase(OrderPriority.Released, 1)]
    public void A_lower_lane_stays_in_its_class(short priority, int lowest) =>
        Assert.That(OrderPriority.Lower(priority, 2), Is.EqualTo(lowest));

    private static NewOrder OrderOf(string client, string email) =>
        SampleOrders.New(1) with
        {
            ClientId = client,
            CustomerEmail = email,
        };
}
