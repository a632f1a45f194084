using Orders.Chaos.Planning;

namespace Orders.Chaos.Tests.Planning;

public sealed class PlanTests
{
    private static readonly TimeSpan Gap = TimeSpan.FromSeconds(9);

    [Test]
    public void A_seed_is_a_plan_and_another_seed_is_another() =>
        Assert.Multiple(() =>
        {
            var seven = Plan.Draw(7, 60, Gap).ToString();
            Assert.That(Plan.Draw(7, 60, Gap).ToString(), Is.EqualTo(seven));
            Assert.That(Plan.Draw(8, 60, Gap).ToString(), Is.Not.EqualTo(seven));
        });

    [Test]
    public void Shorter_gaps_make_a_shorter_plan_with_as_many_faults()
    {
        var (slow, fast) = (Plan.Draw(1, 12, Gap), Plan.Draw(1, 12, Gap / 2));
        Assert.That(fast.Faults, Has.Count.EqualTo(slow.Faults.Count));
        Assert.That(fast.End, Is.LessThan(slow.End));
    }

    [Test]
    public void Every_kind_comes_once_before_any_comes_twice() =>
        Assert.That(
            Plan.Draw(3, FaultCatalogue.All.Count, Gap).Faults.Select(f => f.Type),
            Is.EquivalentTo(FaultCatalogue.All)
        );

    [TestCase(FaultKind.DatabasePassword, "email", "inventory", "invoice", "warehouse")]
    [TestCase(FaultKind.DatabaseClosed, "postgres")]
    [TestCase(FaultKind.BrokerPassword, "email", "inventory", "invoice", "warehouse")]
    [TestCase(FaultKind.Scale, "email", "inventory", "invoice", "warehouse")]
    [TestCase(FaultKind.Deploy, "migrate")]
    [TestCase(FaultKind.ClockOff, "email", "inventory", "invoice", "warehouse")]
    [TestCase(FaultKind.Policy, "email", "inventory", "invoice", "warehouse")]
    [TestCase(FaultKind.KillAfterClaim, "email+smtp")]
    public void A_complete_plan_has_what_operators_do_to_logins_replicas_and_versions(
        FaultKind kind,
        params string[] targets
    ) =>
        Assert.That(
            Plan.Draw(1, FaultCatalogue.All.Count, Gap)
                .Faults.Where(f => f.Type.Kind == kind)
                .Select(f => f.Type.Target),
            Is.EquivalentTo(targets)
        );

    [Test]
    public void A_complete_plan_has_a_mail_server_that_takes_mails_and_drops_the_connection_before_its_reply() =>
        Assert.That(
            Plan.Draw(1, FaultCatalogue.All.Count, Gap)
                .Faults.Count(f => f is { Type: { Kind: FaultKind.Misbehave, Target: "smtp" }, Mode: "vanish" }),
            Is.EqualTo(1)
        );

    [Test]
    public void Queues_are_deleted_only_where_the_catalogue_says_so() =>
        Assert.That(
            FaultCatalogue.All.Intersect(FaultCatalogue.Deletions),
            Is.EquivalentTo(FaultCatalogue.DeletesQueues ? FaultCatalogue.Deletions : [])
        );

    [TestCase(FaultKind.ClockOff)]
    [TestCase(FaultKind.Policy)]
    [TestCase(FaultKind.KillAfterClaim)]
    public void A_plan_of_one_kind_has_no_other(FaultKind kind) =>
        Assert.That(
            Plan.Draw(5, 10, Gap, kind).Faults.Select(f => f.Type.Kind),
            Is.EqualTo(Enumerable.Repeat(kind, 10))
        );

    [Test]
    public void A_plan_says_how_a_fault_is_done()
    {
        var scaled = Plan.Draw(1, FaultCatalogue.All.Count, Gap).Faults.First(f => f.Type.Kind == FaultKind.Scale);
        Assert.That(scaled.ToString(), Does.Match(@"scale +\w+ [23] replicas, "));
    }

    [Test]
    public void A_dozen_has_a_redrive_a_rolling_restart_a_refused_login_a_scaling_out_and_a_deployment(
        [Range(1, 40)] int seed
    )
    {
        var kinds = Plan.Draw(seed, 12, Gap).Faults.Select(f => f.Type.Kind).ToArray();
        Assert.That(
            kinds,
            Is.SupersetOf(new[] { FaultKind.Redrive, FaultKind.Roll, FaultKind.Scale, FaultKind.Deploy })
        );
        Assert.That(
            kinds,
            Has.Some.AnyOf(FaultKind.DatabasePassword, FaultKind.DatabaseClosed, FaultKind.BrokerPassword)
        );
    }

    [Test]
    public void A_plan_says_how_each_fault_is_redriven() =>
        Assert.Multiple(() =>
        {
            var faults = Enumerable.Range(1, 40).SelectMany(seed => Plan.Draw(seed, 60, Gap).Faults).ToArray();
            Assert.That(
                faults.Where(f => f.Redrive is not null),
                Is.EqualTo(faults.Where(f => f.Type.Kind == FaultKind.Redrive))
            );
            var terms = faults.Where(f => f.Redrive is not null).Select(f => (Fault: f, Terms: f.Redrive!)).ToArray();
            Assert.That(terms.Select(t => t.Terms.Hands).Distinct().Order(), Is.EqualTo(new[] { 1, 2, 3 }));
            Assert.That(
                terms.Count(t => t.Terms.After < t.Fault.Duration) / (double)terms.Length,
                Is.InRange(0.65, 0.9),
                "asked for while it is still there"
            );
            Assert.That(
                new Plan([terms[0].Fault]).ToString(),
                Does.EndWith(terms[0].Terms.ToString()),
                "the plan that is written down says all of it"
            );
        });

    [Test]
    public void No_target_is_hit_while_it_is_still_down([Range(1, 20)] int seed)
    {
        var faults = Plan.Draw(seed, 60, Gap).Faults;
        var meetings =
            from a in faults
            from b in faults
            where a.Number < b.Number && b.At < a.At + a.Duration && a.Targets.Intersect(b.Targets).Any()
            select $"{a} / {b}";
        Assert.That(meetings, Is.Empty);
    }

    [Test]
    public void At_most_two_faults_are_there_at_once([Range(1, 20)] int seed)
    {
        var faults = Plan.Draw(seed, 60, Gap).Faults;
        Assert.That(
            faults.Select(f => faults.Count(o => o.At <= f.At && f.At < o.At + o.Duration)),
            Is.All.LessThanOrEqualTo(2)
        );
    }

    [Test]
    public void Gaps_are_nine_seconds_in_the_mean()
    {
        var ends = Enumerable
            .Range(1, 40)
            .Select(seed => Plan.Draw(seed, 100, Gap).Faults[^1].At.TotalSeconds / 99)
            .ToArray();
        // Faults that would meet wait for each other, which makes some gaps longer and none shorter.
        Assert.That(ends.Average(), Is.InRange(9, 13));
    }
}
