using Orders.CrashPoints.Tests.Lanes;

namespace Orders.CrashPoints.Tests.Matrix;

/// <summary>
/// The same as <see cref="CrashPointMatrixTests"/> for the operators' process: it dies, fails or stands still at every
/// call of a redrive and of the comparison of index and queues, while dead-lettered orders are redriven. Whatever
/// happened, each redrive ends with exact totals, each order with exactly one of each effect, the queue is empty and
/// the index says so.
/// </summary>
[Parallelizable(ParallelScope.Children)]
[FixtureLifeCycle(LifeCycle.SingleInstance)]
[Category("Long")]
public sealed class RedriveMatrixTests
{
    private const int MostRounds = 4;

    private readonly LanePool _lanes = new();

    private static IEnumerable<TestCaseData> Cases =>
        RedriveScenarios.Names.SelectMany(CrashCase.OfSlow).Select(c => new TestCaseData(c).SetArgDisplayNames(c.Plan));

    [OneTimeTearDown]
    public Task CheckInvariants() => _lanes.CloseAsync();

    [TestCaseSource(nameof(Cases))]
    public Task Failed_orders_end_with_one_of_each_effect(object @case) =>
        _lanes.RunAsync(lane => PlayAsync(lane, (CrashCase)@case));

    private static async Task PlayAsync(Lane lane, CrashCase @case)
    {
        using var @operator = await lane.AnOperatorAsync();
        var process = @operator.Process;
        var starts = process.Starts;
        var rounds = new List<FailedOrders>();

        // One redrive, as a rule. Another one where the process comes by only once in each.
        do
        {
            Assert.That(
                rounds,
                Has.Count.LessThan(MostRounds),
                () => $"redrives that were done, and the process has not come to '{@case.Failpoint}' {@case.Hit} times"
            );
            var deadLettered = await FailedOrders.DeadLetterAsync(lane, @operator);
            if (rounds.Count == 0)
                await process.ArmAsync(@case.Plan);
            rounds.Add(deadLettered);
            await RedriveScenarios.Of(@case.Failpoint)(deadLettered);
            await deadLettered.UntilRightAsync();
        } while (!process.HasFired(@case.Failpoint));

        if (@case.Mode == "kill")
            await process.UntilReplacedAsync(starts);
        await process.ArmAsync("");
        foreach (var deadLettered in rounds)
            await deadLettered.UntilRightAsync();
    }
}
