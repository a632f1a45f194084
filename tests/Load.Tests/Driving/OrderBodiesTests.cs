using System.Text.Json;
using Orders.Bench.Load.Driving;

namespace Orders.Bench.Load.Tests.Driving;

public sealed class OrderBodiesTests
{
    [Test]
    public void The_same_seed_and_number_give_the_same_order()
    {
        var (one, other) = (new OrderBodies(7), new OrderBodies(7));
        Assert.That(one.Body(42), Is.EqualTo(other.Body(42)));
    }

    [Test]
    public void Another_seed_gives_another_order() =>
        Assert.That(new OrderBodies(8).Body(42), Is.Not.EqualTo(new OrderBodies(7).Body(42)));

    [Test]
    public void Every_order_has_three_different_SKUs_of_the_catalogue()
    {
        foreach (var body in new OrderBodies(1).Bodies(0, 1000))
        {
            var skus = JsonDocument
                .Parse(body)
                .RootElement.GetProperty("lines")
                .EnumerateArray()
                .Select(line => line.GetProperty("sku").GetString())
                .ToArray();
            Assert.That(skus, Has.Length.EqualTo(3).And.Unique.And.All.Match("^SKU-[0-9]{4}$"));
        }
    }

    [Test]
    public void About_one_order_in_ten_is_premium()
    {
        var premium = new OrderBodies(1)
            .Bodies(0, 2000)
            .Count(body => JsonDocument.Parse(body).RootElement.GetProperty("premium").GetBoolean());
        Assert.That(premium, Is.InRange(150, 250));
    }
}
