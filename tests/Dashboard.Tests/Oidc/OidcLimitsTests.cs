using Orders.Dashboard.Oidc;

namespace Orders.Dashboard.Tests.Oidc;

/// <summary>How many calls to the provider run at once.</summary>
internal sealed class OidcLimitsTests
{
    [Test]
    public void One_address_leaves_room_for_others_and_all_together_are_few()
    {
        using var limits = new OidcLimits();
        Assert.That(TakeAll(limits, "192.0.2.1"), Has.Count.EqualTo(OidcLimits.MostAtOncePerAddress));
        var second = TakeAll(limits, "192.0.2.2");
        Assert.That(second, Has.Count.EqualTo(OidcLimits.MostAtOnce - OidcLimits.MostAtOncePerAddress));
        Assert.That(limits.TryEnter("192.0.2.3", out var wait), Is.Null);
        Assert.That(wait, Is.GreaterThan(TimeSpan.Zero));

        second[0].Dispose();
        using var place = limits.TryEnter("192.0.2.3", out _);
        Assert.That(place, Is.Not.Null, "the place that was left");
    }

    private static List<IDisposable> TakeAll(OidcLimits limits, string address)
    {
        var taken = new List<IDisposable>();
        while (limits.TryEnter(address, out _) is { } place)
            taken.Add(place);
        return taken;
    }
}
