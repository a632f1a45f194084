using Orders.Workers.Email;

namespace Orders.Workers.Tests.Email;

public sealed class MessageIdsTests
{
    private static readonly Guid Order = new("0198a0c0-0000-7000-8000-000000000001");

    [Test]
    public void The_id_follows_from_effect_order_and_domain() =>
        Assert.That(
            MessageIds.For("email", Order, "orders.example"),
            Is.EqualTo("email.0198a0c0000070008000000000000001@orders.example")
        );

    [Test]
    public void Another_effect_or_order_has_another_id()
    {
        var ids = new[]
        {
            MessageIds.For("email", Order, "a.example"),
            MessageIds.For("apology", Order, "a.example"),
            MessageIds.For("email", Guid.NewGuid(), "a.example"),
        };

        Assert.That(ids, Is.Unique);
    }

    [Test]
    public void An_international_domain_is_written_in_ascii() =>
        Assert.That(MessageIds.For("email", Order, "bücher.example"), Does.EndWith("@xn--bcher-kva.example"));
}
