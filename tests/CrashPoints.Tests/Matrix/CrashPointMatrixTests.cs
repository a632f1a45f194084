using Orders.CrashPoints.Tests.Lanes;
using Orders.Testing;

namespace Orders.CrashPoints.Tests.Matrix;

/// <summary>
/// Every failpoint, in every way, at the first and the second time: a process is killed there, its call fails, takes
/// long, or is carried out and reported as timed out.
/// Whatever happened, the order ends with exactly one of each effect. API and worker are real processes with a
/// supervisor; the client repeats a post with its Idempotency-Key.
/// </summary>
[Parallelizable(ParallelScope.Children)]
[FixtureLifeCycle(LifeCycle.SingleInstance)]
[Category("Long")]
public sealed class CrashPointMatrixTests
{
    private const int MostOrders = 4;

    private readonly LanePool _lanes = new();

    private static IEnumerable<TestCaseData> Cases =>
        from name in Failpoints.Names
        let scenario = Scenarios.Of(name)
        where scenario is not null
        from @case in CrashCase.Of(name, scenario.Hits)
        select new TestCaseData(@case).SetArgDisplayNames(@case.Plan);

    [OneTimeTearDown]
    public Task CheckInvariants() => _lanes.CloseAsync();

    [TestCaseSource(nameof(Cases))]
    public Task An_order_ends_with_one_of_each_effect(object @case) =>
        _lanes.RunAsync(lane => PlayAsync(lane, (CrashCase)@case));

    private static async Task PlayAsync(Lane lane, CrashCase @case)
    {
        var scenario = Scenarios.Of(@case.Failpoint)!;
        var host = scenario.Host(lane);
        var orders = new List<PostedOrder>();
        await scenario.Before(lane);
        var starts = host.Starts;
        await host.ArmAsync(@case.Plan);
        scenario.Begin(lane);

        // One order, as a rule. Another one where the process comes by only once for each, or not for every one.
        do
        {
            Assert.That(
                orders,
                Has.Count.LessThan(MostOrders),
                () => $"orders that were posted, and the process has not come to '{@case.Failpoint}' {@case.Hit} times"
            );
            await FireAsync(lane, host, scenario, @case, orders);
        } while (!host.HasFired(@case.Failpoint));

        lane.Heal();
        await scenario.After(lane);
        if (@case.Mode == "kill")
        {
            await host.UntilReplacedAsync(starts);
            await lane.EndLeasesOfTheDeadAsync(host);
        }

        await host.ArmAsync("");
        foreach (var order in orders)
        {
            await lane.UntilRightAsync(order);
            if (scenario.Then is { } then)
                await then(lane, order);
            await lane.UntilRightAsync(order);
        }
    }

    private static async Task FireAsync(
        Lane lane,
        HostProcess host,
        Scenario scenario,
        CrashCase @case,
        List<PostedOrder> orders
    )
    {
        // One after the other: two that come by together may be one call.
        for (var others = scenario.IsOncePerOrder ? @case.Hit - 1 : 0; others > 0; others--)
        {
            var before = await PostAsync(lane, scenario, orders);
            await lane.TestSystem.EventuallyFastForwardingAsync(
                () => Traces.OfAsync(lane, before),
                Is.EqualTo(Traces.ExpectedOf(before)),
                "the order before it ends"
            );
        }

        var order = await PostAsync(lane, scenario, orders);
        await lane.TestSystem.EventuallyFastForwardingAsync(
            async () => host.HasFired(@case.Failpoint) || await Traces.OfAsync(lane, order) == Traces.ExpectedOf(order),
            Is.True,
            $"'{@case.Failpoint}' fires, or the order ends",
            TimeSpan.FromSeconds(30)
        );
        if (scenario.FiresLater)
            await lane.TestSystem.EventuallyFastForwardingAsync(
                () => Task.FromResult(host.HasFired(@case.Failpoint)),
                Is.True,
                $"'{@case.Failpoint}' fires",
                TimeSpan.FromSeconds(30)
            );
        for (var again = 0; again < 3 && scenario.Then is { } then && !host.HasFired(@case.Failpoint); again++)
            await then(lane, order);
    }

    private static async Task<PostedOrder> PostAsync(Lane lane, Scenario scenario, List<PostedOrder> orders)
    {
        scenario.BeforeEach(lane);
        var order = await lane.PostAsync(scenario.Order());
        orders.Add(order);
        await scenario.Next(lane, order);
        return order;
    }
}
