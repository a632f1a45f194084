using Orders.Chaos.Planning;

namespace Orders.Chaos.Tests.Planning;

public sealed class ScenariosTests
{
    [Test]
    public void The_failover_kills_the_primary_once_and_orders_come_before_it_and_long_after()
    {
        var scenario = Scenarios.Of(ChaosOptions.Parse(["--scenario", "postgres-failover", "--rate", "20"]));
        var fault = scenario.Plan.Faults.Single();
        Assert.Multiple(() =>
        {
            Assert.That(fault.Type.Kind, Is.EqualTo(FaultKind.Failover));
            Assert.That(fault.Targets, Is.EqualTo(new[] { "postgres" }));
            Assert.That(fault.At, Is.AtLeast(TimeSpan.FromSeconds(10)), "before");
            Assert.That(
                TimeSpan.FromSeconds(scenario.Orders / scenario.Rate) - scenario.Plan.End,
                Is.AtLeast(TimeSpan.FromSeconds(20)),
                "after"
            );
            Assert.That(FaultCatalogue.Targets, Contains.Key(fault.Type.Class));
            Assert.That(scenario.MustAcceptAll, Is.False, "the API answers 503 while there is no primary");
        });
    }

    // The dead primary does not come back: no other fault of a plan ends like that.
    [Test]
    public void Plans_have_no_failover() =>
        Assert.That(FaultCatalogue.All.Select(f => f.Kind), Has.None.EqualTo(FaultKind.Failover));
}
