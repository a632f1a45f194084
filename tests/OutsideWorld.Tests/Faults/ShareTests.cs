using Orders.OutsideWorld.Faults;

namespace Orders.OutsideWorld.Tests.Faults;

public sealed class ShareTests
{
    [TestCase("0", new int[0])]
    [TestCase("0.2", new[] { 5, 10, 15, 20 })]
    [TestCase("0.25", new[] { 4, 8, 12, 16, 20 })]
    [TestCase("0.9", new[] { 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 14, 15, 16, 17, 18, 19, 20 })]
    public void A_share_hits_the_same_arrivals_every_time(string share, int[] hits)
    {
        var profile = new FaultProfile<SmtpMode>(
            SmtpMode.Reject,
            default,
            decimal.Parse(share, System.Globalization.CultureInfo.InvariantCulture)
        );

        Assert.That(Enumerable.Range(1, 20).Where(number => profile.Hits(number)), Is.EqualTo(hits));
    }

    [Test]
    public void Of_n_arrivals_exactly_the_share_is_hit_for_every_hundredth()
    {
        for (var percent = 0; percent <= 100; percent++)
        {
            var profile = new FaultProfile<SmtpMode>(SmtpMode.Reject, default, percent / 100m);
            Assert.That(
                Enumerable.Range(1, 1000).Count(number => profile.Hits(number)),
                Is.EqualTo(percent * 10),
                $"share {percent} %"
            );
        }
    }
}
