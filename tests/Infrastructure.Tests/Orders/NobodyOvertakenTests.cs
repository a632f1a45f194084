using Npgsql;
using Orders.Infrastructure.Feeding;
using Orders.Testing;
using QueueWorkers.Outbox.Relaying;
using QueueWorkers.Steps;

namespace Orders.Infrastructure.Tests.Orders;

/// <summary>A system of its own, in which no premium order has ever been: aging finds nobody to send again.</summary>
public sealed class NobodyOvertakenTests : SystemFixture
{
    protected override StepCatalogue Catalogue => AgingTests.OneSlowStep;

    [Test]
    public async Task Whom_nobody_has_overtaken_is_left_alone()
    {
        await using var source = NpgsqlDataSource.Create(TestSystem.Database.ConnectionString);
        using var feed = new RelayFeed();
        await TestSystem.StoreAsync([.. Enumerable.Range(0, 5).Select(_ => SampleOrders.New(1))]);
        var aging = new OrderAging(source, feed, TimeProvider.System, SampleOrders.Personal) { Ages = [TimeSpan.Zero] };

        Assert.That(await aging.LookAsync(CancellationToken.None), Is.Zero);
    }
}
