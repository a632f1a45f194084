using Npgsql;
using Orders.Infrastructure.Orders.Feeding;
using Orders.Infrastructure.Outbox;
using Orders.Infrastructure.Steps;
using Orders.Testing;

namespace Orders.Infrastructure.Tests.Orders;

/// <summary>A system of its own, in which no premium order has ever been: ageing finds nobody to send again.</summary>
public sealed class NobodyOvertakenTests : InASystem
{
    protected override StepCatalogue Catalogue => AgeingTests.OneSlowStep;

    [Test]
    public async Task Whom_nobody_has_overtaken_is_left_alone()
    {
        await using var source = NpgsqlDataSource.Create(System.Database.ConnectionString);
        using var feed = new RelayFeed();
        await System.StoreAsync([.. Enumerable.Range(0, 5).Select(_ => SampleOrders.New(1))]);
        var ageing = new OrderAgeing(source, feed, TimeProvider.System) { Ages = [TimeSpan.Zero] };

        Assert.That(await ageing.LookAsync(CancellationToken.None), Is.Zero);
    }
}
