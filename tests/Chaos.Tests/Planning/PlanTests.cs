using Orders.Chaos.Planning;

namespace Orders.Chaos.Tests.Planning;

public sealed class PlanTests
{
    [Test]
    public void A_seed_is_a_plan_and_another_seed_is_another() => Assert.Multiple(() =>
    {
        var seven = Plan.Draw(7, 60).ToString();
        Assert.That(Plan.Draw(7, 60).ToString(), Is.EqualTo(seven));
        Assert.That(Plan.Draw(8, 60).ToString(), Is.Not.EqualTo(seven));
    });

    [Test]
    public void Every_kind_comes_once_before_any_comes_twice() =>
        Assert.That(Plan.Draw(3, FaultCatalogue.All.Count).Faults.Select(f => f.Type), Is.EquivalentTo(FaultCatalogue.All));

    [Test]
    public void No_target_is_hit_while_it_is_still_down([Range(1, 20)] int seed)
    {
        var faults = Plan.Draw(seed, 60).Faults;
        var meetings = from a in faults
                       from b in faults
                       where a.Number < b.Number && b.At < a.At + a.Duration && a.Targets.Intersect(b.Targets).Any()
                       select $"{a} / {b}";
        Assert.That(meetings, Is.Empty);
    }

    [Test]
    public void At_most_two_faults_are_there_at_once([Range(1, 20)] int seed)
    {
        var faults = Plan.Draw(seed, 60).Faults;
        Assert.That(faults.Select(f => faults.Count(o => o.At <= f.At && f.At < o.At + o.Duration)), Is.All.LessThanOrEqualTo(2));
    }

    [Test]
    public void Gaps_are_nine_seconds_in_the_mean()
    {
        var ends = Enumerable.Range(1, 40).Select(seed => Plan.Draw(seed, 100).Faults[^1].At.TotalSeconds / 99).ToArray();
        // Faults that would meet wait for each other, which makes some gaps longer and none shorter.
        Assert.That(ends.Average(), Is.InRange(9, 13));
    }
}
