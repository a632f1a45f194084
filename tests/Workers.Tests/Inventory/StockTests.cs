using Orders.Contracts;
using Orders.Testing;
using QueueWorkers.Steps;

namespace Orders.Workers.Tests.Inventory;

/// <summary>
/// Stock under contention: four processes, hundreds of orders, hardly any articles. Each test has articles of its own.
/// </summary>
public sealed class StockTests : InstallationFixture
{
    private const int Processes = 4;

    [OneTimeSetUp]
    public async Task StartSeveralProcesses()
    {
        for (var i = 0; i < Processes; i++)
            await StartAsync("inventory");
    }

    [Test]
    public async Task Of_two_hundred_orders_for_the_last_piece_one_gets_it()
    {
        await StockAsync(1, "LAST-ONE");
        var orders = await PostAsync(200, _ => [("LAST-ONE", 1)]);

        var decided = await UntilDecidedAsync(orders);
        Assert.That(decided.Count(s => s == StepStatus.Done), Is.EqualTo(1));
        Assert.That(decided.Count(s => s == StepStatus.Rejected), Is.EqualTo(199));
        await LedgerHoldsAsync();
    }

    [Test]
    public async Task Orders_that_name_the_same_articles_in_opposite_order_never_wait_in_a_circle()
    {
        await StockAsync(150, "ROUND-A", "ROUND-B", "ROUND-C");
        var orders = await PostAsync(
            200,
            i =>
                i % 2 == 0
                    ? [("ROUND-A", 1), ("ROUND-B", 1), ("ROUND-C", 1)]
                    : [("ROUND-C", 1), ("ROUND-B", 1), ("ROUND-A", 1)]
        );

        var decided = await UntilDecidedAsync(orders);
        Assert.That(decided.Count(s => s == StepStatus.Done), Is.EqualTo(150));
        Assert.That(
            await TestSystem.Database.ScalarAsync<long>(
                "select deadlocks from pg_stat_database where datname = current_database()"
            ),
            Is.Zero,
            "deadlocks"
        );
        await LedgerHoldsAsync();
    }

    [Test]
    public async Task An_order_gets_all_its_lines_or_none()
    {
        await StockAsync(5, "FEW-LEFT");
        await StockAsync(100, "MANY-LEFT");
        var listener = await TestSystem.Broker.ListenAsync<StockRejected>();
        var order = (await PostAsync(1, _ => [("MANY-LEFT", 3), ("FEW-LEFT", 6), ("NOT-STOCKED", 1)])).Single();

        Assert.That(await UntilDecidedAsync([order]), Is.All.EqualTo(StepStatus.Rejected));
        Assert.That(await TestSystem.Database.CountAsync("stock_movements where order_id = $1", order), Is.Zero);
        await TestSystem.UntilOutboxIsEmptyAsync();
        var said = (await TestSystem.Broker.TakeAllAsync(listener))
            .Select(m => System.Text.Encoding.UTF8.GetString(m.Body.Span))
            .Single(m => m.Contains(order.ToString(), StringComparison.Ordinal));
        Assert.That(
            said,
            Does.Contain("FEW-LEFT").And.Contain("NOT-STOCKED").And.Not.Contain("MANY-LEFT"),
            "the lines that are short, and those only"
        );
        await LedgerHoldsAsync();
    }

    [Test]
    public async Task A_message_about_no_order_is_dead_lettered_and_its_neighbours_are_served()
    {
        await StockAsync(100, "NEIGHBOUR");
        var unknown = Guid.CreateVersion7();
        await DeliverAsync("inventory", unknown, new OrderAccepted(unknown, false, DateTimeOffset.UtcNow));
        var orders = await PostAsync(20, _ => [("NEIGHBOUR", 1)]);

        Assert.That(await UntilDecidedAsync(orders), Is.All.EqualTo(StepStatus.Done));
        await TestSystem.UntilAsync(unknown, "inventory", StepStatus.Failed);
        Assert.That(await TestSystem.LastFaultAsync(unknown, "inventory"), Does.Contain("found none"));
    }

    private async Task StockAsync(int pieces, params string[] articles)
    {
        foreach (var sku in articles)
            await TestSystem.Database.ExecuteAsync(
                "insert into stock (sku, initial, on_hand) values ($1, $2, $2)",
                sku,
                pieces
            );
    }

    private async Task<Guid[]> PostAsync(int count, Func<int, (string, int)[]> lines)
    {
        var orders = new Guid[count];
        for (var i = 0; i < count; i++)
            orders[i] = await TestSystem.StoreAsync(lines(i));
        await Task.WhenAll(
            orders.Select(o => DeliverAsync("inventory", o, new OrderAccepted(o, false, DateTimeOffset.UtcNow)))
        );
        return orders;
    }

    private async Task<StepStatus[]> UntilDecidedAsync(Guid[] orders)
    {
        await Eventually.That(
            () =>
                TestSystem.Database.CountAsync(
                    $"step_runs where step = 'inventory' and subject_id = any($1) and status in ({StepStatus.Done:D}, {StepStatus.Rejected:D})",
                    orders
                ),
            Is.EqualTo(orders.Length),
            "orders decided"
        );
        var rows = await TestSystem.Database.RowsAsync(
            "select status from step_runs where step = 'inventory' and subject_id = any($1)",
            orders
        );
        return [.. rows.Select(r => (StepStatus)(short)r[0]!)];
    }

    private async Task LedgerHoldsAsync() =>
        Assert.That(
            await TestSystem.Database.CountAsync(
                "stock s where s.on_hand < 0 or s.on_hand <> s.initial + (select coalesce(sum(m.quantity), 0) from stock_movements m where m.sku = s.sku)"
            ),
            Is.Zero,
            "articles whose stock is not what they began with plus their movements"
        );
}
