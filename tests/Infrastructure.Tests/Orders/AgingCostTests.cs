using System.Text.Json.Nodes;
using Npgsql;
using Orders.Infrastructure.Feeding;
using QueueWorkers.Outbox.Ids;
using QueueWorkers.Steps;

namespace Orders.Infrastructure.Tests.Orders;

/// <summary>
/// An overload: 100,000 orders are open, 300 came in each second. What one look for overtaken orders reads is bounded
/// by the orders of its second, with and without statistics. Pages are counted, not time.
/// </summary>
[Category("Long")]
public sealed class AgingCostTests : SystemFixture
{
    private const int Open = 100_000;
    private const int PerSecond = 300;

    // Down an index and to the row; nothing of the backlog.
    private const long MostPagesOfAProbe = 20;

    // Some 13 for each order of the second: order, progress, step, copy.
    private const long MostPagesOfALook = 5_000;

    // And four for each premium order that is looked at.
    private const long MostPagesInAFlood = MostPagesOfALook + (5 * AgingQueries.MostPremium);

    private static readonly TimeSpan[] Ages = [.. new[] { 15, 35, 90, 300 }.Select(s => TimeSpan.FromSeconds(s))];

    protected override StepCatalogue Catalogue => AgingTests.OneSlowStep;

    [SetUp]
    public async Task OpenOrders()
    {
        await TestSystem.Database.ExecuteAsync(
            "truncate orders, order_lines, order_progress, step_runs, aged_messages"
        );
        await InsertAsync(Open, PerSecond, premium: false);
    }

    [Test]
    public async Task Without_a_premium_order_a_look_reads_nothing_of_a_hundred_thousand_open_orders()
    {
        foreach (var analyzed in (bool[])[false, true])
        {
            var pages = await LookAsync(analyzed);
            Assert.That(pages.Select(p => p.Overtaken), Is.All.AtMost(MostPagesOfAProbe), "for overtaken ones");
            Assert.That(pages.Select(p => p.Found), Is.All.Zero);
        }
    }

    [Test]
    public async Task Orders_that_premium_ones_overtook_are_found_by_reading_those_of_their_second()
    {
        // Statistics of a time without premium orders are worse than none.
        await TestSystem.Database.ExecuteAsync("analyze orders");
        await InsertAsync(Open / 50, PerSecond / 50, premium: true);
        await TestSystem.Database.ExecuteAsync(
            $"""
            insert into step_runs (subject_id, step, status, attempts)
            select id, 'slow', {StepStatus.Done:D}, 1 from orders where premium and number % 2 = 0
            """
        );
        foreach (var analyzed in (bool[])[false, true])
        {
            var pages = await LookAsync(analyzed);
            Assert.That(pages.Select(p => p.Overtaken), Is.All.AtMost(MostPagesOfALook));
            Assert.That(pages.Select(p => p.Found), Is.All.EqualTo(AgingQueries.Most));
        }
    }

    [Test]
    public async Task A_flood_of_premium_orders_of_which_none_is_done_is_not_read_to_its_end()
    {
        await InsertAsync(Open / 5, PerSecond / 5, premium: true);
        foreach (var analyzed in (bool[])[false, true])
        {
            var pages = await LookAsync(analyzed);
            Assert.That(pages.Select(p => p.Overtaken), Is.All.AtMost(MostPagesInAFlood));
            Assert.That(pages.Select(p => p.Found), Is.All.Zero);
        }
    }

    // The newest just now, the others before it.
    private Task<int> InsertAsync(int count, int perSecond, bool premium) =>
        TestSystem.Database.ExecuteAsync(
            $"""
            with stored as (
                insert into orders (id, client_id, customer_name, customer_email, currency, total, premium, ship_line1,
                    ship_city, ship_postal_code, ship_country, created_at)
                select uuidv7(make_interval(secs => -n::float8 / {perSecond})), 'shop', 'Zoe', 'zoe@example.com', 'EUR',
                    1, $1, 'Road 1', 'Town', '12345', 'DE', now() from generate_series(1, {count}) n
                returning id)
            insert into order_progress (order_id, required, done, failed) select id, 1, 0, 0 from stored
            """,
            premium
        );

    private async Task<List<Pages>> LookAsync(bool analyzed)
    {
        if (analyzed)
            await TestSystem.Database.ExecuteAsync("analyze orders, order_progress, step_runs, aged_messages, effects");
        await using var connection = await TestSystem.Database.Source.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using (var plans = new NpgsqlCommand(AgingQueries.ByIndexOnly, connection))
            await plans.ExecuteNonQueryAsync();
        var pages = new List<Pages>();
        foreach (var age in Ages)
        {
            var now = await TestSystem.Database.ScalarAsync<DateTime>("select clock_timestamp()");
            var (from, to) = (now - age - TimeSpan.FromSeconds(1), now - age);
            object[] window = [TimedId.FirstAt(from), TimedId.FirstAt(to), from, to];
            var (premium, _) = await PlanAsync(
                connection,
                AgingQueries.FirstPremium,
                TimedId.FirstAt(from),
                TimedId.FirstAt(now)
            );
            var (unfinished, _) = await PlanAsync(connection, AgingQueries.AnyUnfinished, window);
            var (overtaken, found) = await PlanAsync(
                connection,
                AgingQueries.Overtaken,
                [.. window, TimedId.FirstAt(now)]
            );
            TestContext.Out.WriteLine(
                $"{age.TotalSeconds} s, analyzed: {analyzed}. Pages for a premium order {premium}, an unfinished one {unfinished}, {found:0} overtaken ones {overtaken}."
            );
            pages.Add(new Pages(premium, unfinished, overtaken, (int)found));
        }

        Assert.That(pages.Select(p => p.Premium), Is.All.AtMost(MostPagesOfAProbe), "for a premium order");
        Assert.That(pages.Select(p => p.Unfinished), Is.All.AtMost(MostPagesOfAProbe), "for an unfinished one");
        return pages;
    }

    private static async Task<(long Pages, double Rows)> PlanAsync(
        NpgsqlConnection connection,
        string sql,
        params object[] values
    )
    {
        await using var command = new NpgsqlCommand($"explain (analyze, buffers, format json) {sql}", connection);
        foreach (var value in values)
            command.Parameters.Add(new() { Value = value });
        var plan = JsonNode.Parse((string)(await command.ExecuteScalarAsync())!)![0]!["Plan"]!;
        return (
            plan["Shared Hit Blocks"]!.GetValue<long>() + plan["Shared Read Blocks"]!.GetValue<long>(),
            plan["Actual Rows"]!.GetValue<double>()
        );
    }

    private sealed record Pages(long Premium, long Unfinished, long Overtaken, int Found);
}
