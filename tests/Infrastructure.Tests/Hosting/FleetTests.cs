using Orders.Infrastructure.Hosting;

namespace Orders.Infrastructure.Tests.Hosting;

/// <summary>All processes together poll as often as one did.</summary>
public sealed class FleetTests
{
    private static readonly TimeSpan Share = TimeSpan.FromMilliseconds(40);
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    [TestCase(0)]
    [TestCase(1)]
    [TestCase(25)]
    public void Few_processes_keep_their_own_pace(int processes) => Assert.That(new Fleet { Processes = processes }.Pace(Share, Second, Minute), Is.EqualTo(Second));

    [TestCase(50)]
    [TestCase(100)]
    [TestCase(400)]
    public void Many_share_it(int processes)
    {
        var fleet = new Fleet { Processes = processes };
        var each = Enumerable.Range(0, 1000).Select(_ => fleet.Pace(Share, Second, Minute)).ToArray();
        Assert.That(each, Is.All.InRange(Share * processes * 0.79, Share * processes * 1.21));
        Assert.That(processes / each.Average(t => t.TotalSeconds), Is.EqualTo(1 / Share.TotalSeconds).Within(1), "polls a second of all together");
        Assert.That(each.Distinct().Count(), Is.GreaterThan(900), "moments of their own");
    }

    [Test]
    public void Nobody_waits_longer_than_the_most() => Assert.That(new Fleet { Processes = 10_000 }.Pace(Share, Second, Minute), Is.EqualTo(Minute));
}
