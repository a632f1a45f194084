using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Orders.Infrastructure;
using Orders.Infrastructure.Intake;
using Orders.Testing;

namespace Orders.Workers.Tests.Flow;

/// <summary>
/// Classes and delays with the whole application at work: all steps, relay and intake in one process. Scaled down
/// unless <c>ORDERS_SHOW=full</c>, which takes minutes and wants the machine for itself; the figures are printed either
/// way.
/// </summary>
[NonParallelizable]
[Category("Long")]
public sealed class FlowScenarioTests : InstallationFixture
{
    private static readonly bool Full = Environment.GetEnvironmentVariable("ORDERS_SHOW") == "full";
    private RunningHost _host = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        _host = await TestSystem.StartAsync("*", services => services.AddOrderFeeding(), [.. Towards(World)]);
        await TestSystem.Database.ExecuteAsync(
            "update stock set initial = initial + 1000000, on_hand = on_hand + 1000000"
        );
    }

    [Test]
    public async Task Premium_orders_go_first_and_no_normal_order_waits_for_a_minute()
    {
        var (premium, normal) = Full ? (20_000, 100) : (600, 10);
        var rate = 0.8 * await CapacityAsync(Full ? 3000 : 200);
        var begun = await TestSystem.Database.ScalarAsync<DateTime>("select now()");
        var every = (premium + normal) / normal;
        await PostAsync(premium + normal, rate, i => i % every != 0, releaseAt: null);
        await UntilCompletedAsync(TimeSpan.FromMinutes(5));

        var since = $"o.created_at >= '{begun:O}'";
        var (p, n) = (
            await PercentileAsync($"o.premium and {since}", 0.95),
            await PercentileAsync($"not o.premium and {since}", 0.95)
        );
        var longest = await PercentileAsync($"not o.premium and {since}", 1);
        await TestContext.Progress.WriteLineAsync(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{premium} premium and {normal} normal orders at {rate:0}/s: p95 {p * 1000:0} and {n * 1000:0} ms, the longest normal one {longest:0.00} s"
            )
        );
        Assert.That(longest, Is.LessThan(60), "seconds that a normal order took");
        // A few orders on a busy machine tell nothing about the two classes; many do.
        Assert.That(
            p,
            Full ? Is.LessThan(n) : Is.Positive,
            "95 % of the premium orders are quicker than 95 % of the normal ones"
        );
    }

    [Test]
    public async Task Orders_due_at_the_same_moment_do_not_hold_up_fresh_ones()
    {
        var (delayed, fresh, ahead) = Full
            ? (10_000, 600, TimeSpan.FromSeconds(60))
            : (500, 50, TimeSpan.FromSeconds(5));
        var due = DateTimeOffset.UtcNow + ahead;
        await PostAsync(delayed, double.PositiveInfinity, _ => false, due);
        Assert.That(
            await TestSystem.Database.CountAsync(
                "order_progress p join orders o on o.id = p.order_id where o.release_at = $1 and p.done <> 0",
                due
            ),
            Is.Zero,
            "orders begun before their time"
        );
        await Eventually.Is(() => DateTimeOffset.UtcNow >= due, "the time has come", ahead + TimeSpan.FromSeconds(30));

        var released = ReleasedAsync(due);
        await PostAsync(fresh, 30, _ => false, releaseAt: null);
        var late = await released;
        await UntilCompletedAsync(TimeSpan.FromMinutes(5));

        var p95 = await PercentileAsync($"o.release_at is null and o.created_at >= '{due:O}'", 0.95);
        var early = await TestSystem.Database.CountAsync(
            "step_runs r join orders o on o.id = r.subject_id where r.started_at < o.release_at"
        );
        await TestContext.Progress.WriteLineAsync(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{delayed} orders due at once: all had left {late.TotalSeconds:0.00} s later; {fresh} fresh ones meanwhile: p95 {p95:0.00} s"
            )
        );
        Assert.That(early, Is.Zero, "steps begun before their time");
        Assert.That(p95, Is.LessThan(5), "seconds, 95 % of the fresh orders");
        Assert.That(late, Is.LessThan(Full ? ahead * 0.1 : TimeSpan.FromSeconds(5)), "how late the last one left");
    }

    [Test]
    public async Task A_customer_with_many_orders_waiting_does_not_hold_up_another()
    {
        const string Crowd = "crowd@example.com",
            Other = "other@example.com";
        // Not more than a customer may post in the normal lane: the first twenty, and one a second. In four seconds: in
        // twenty all of the crowd is done, and nobody would have waited for anybody.
        var (waiting, orders, rate) = Full ? (10_000, 20, 5.0) : (500, 15, 5.0);
        await PostAsync(orders, rate, _ => false, releaseAt: null, Other);
        await UntilCompletedAsync(TimeSpan.FromMinutes(1));
        var idle = await PercentileAsync($"o.customer_email = '{Other}'", 0.95);
        // The customer's quota is full again.
        var (rested, begun) = (TimeSpan.FromSeconds(Full ? 25 : 15), DateTimeOffset.UtcNow);
        await Eventually.That(
            () => DateTimeOffset.UtcNow - begun,
            Is.GreaterThan(rested),
            "time since the orders of an idle system",
            rested * 2
        );

        await PostAsync(waiting, double.PositiveInfinity, _ => false, releaseAt: null, Crowd);
        var flooded = DateTimeOffset.UtcNow;
        await PostAsync(orders, rate, _ => false, releaseAt: null, Other);
        await Eventually.That(
            () =>
                TestSystem.Database.CountAsync(
                    $"order_progress p join orders o on o.id = p.order_id where p.status <> {OrderStatus.Completed:D} and o.customer_email = '{Other}'"
                ),
            Is.Zero,
            "orders of the other customer that are not completed",
            TimeSpan.FromMinutes(1)
        );
        var left = await TestSystem.Database.CountAsync(
            $"order_progress p join orders o on o.id = p.order_id where p.status <> {OrderStatus.Completed:D} and o.customer_email = '{Crowd}'"
        );
        await UntilCompletedAsync(TimeSpan.FromMinutes(5));

        var p95 = await PercentileAsync($"o.customer_email = '{Other}' and o.created_at >= '{flooded:O}'", 0.95);
        await TestContext.Progress.WriteLineAsync(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{waiting} orders of one customer waiting, {left} still when the last of another's {orders} was done: their p95 {p95 * 1000:0} ms, {idle * 1000:0} ms when idle"
            )
        );
        Assert.That(p95, Is.LessThan(idle + 3), "seconds, 95 % of the other customer's orders");
        if (Full)
            Assert.That(
                left,
                Is.Positive,
                "orders of the crowd that still wait when the other customer's are done; none would mean that this shows nothing"
            );
    }

    [Test]
    public async Task A_single_release_time_is_kept_within_a_second()
    {
        var due = DateTimeOffset.UtcNow.AddSeconds(3);
        await PostAsync(5, double.PositiveInfinity, _ => false, due);
        await UntilCompletedAsync(TimeSpan.FromMinutes(1));
        var late = await TestSystem.Database.ScalarAsync<double>(
            "select extract(epoch from max(r.started_at - o.release_at))::float8 from step_runs r join orders o on o.id = r.subject_id where r.step in ('inventory', 'email') and o.release_at = $1",
            due
        );
        await TestContext.Progress.WriteLineAsync(
            string.Create(
                CultureInfo.InvariantCulture,
                $"5 orders with a release time: the last step began {late * 1000:0} ms after it"
            )
        );
        Assert.That(late, Is.InRange(0, 1), "seconds after the release time");
    }

    private async Task<double> CapacityAsync(int orders)
    {
        await PostAsync(50, double.PositiveInfinity, _ => false, releaseAt: null);
        await UntilCompletedAsync(TimeSpan.FromMinutes(1));
        var watch = Stopwatch.StartNew();
        await PostAsync(orders, double.PositiveInfinity, _ => false, releaseAt: null);
        await UntilCompletedAsync(TimeSpan.FromMinutes(2));
        var capacity = orders / watch.Elapsed.TotalSeconds;
        // As in a system that has run for more than a minute: the planner knows what its tables hold. Emptied ones
        // would be read from end to end by the statements that were planned for them.
        await TestSystem.Database.ExecuteAsync("analyze");
        return capacity;
    }

    // At a rate, without waiting for anybody: an order that is late does not make the next one later.
    private async Task PostAsync(
        int count,
        double rate,
        Predicate<int> premium,
        DateTimeOffset? releaseAt,
        string customer = "zoe@example.com"
    )
    {
        var (intake, required) = (
            _host.Services.GetRequiredService<OrderIntake>(),
            await TestSystem.RequiredStepsAsync()
        );
        var posts = new List<Task>(count);
        var watch = Stopwatch.StartNew();
        for (var i = 0; i < count; i++)
        {
            var ahead = TimeSpan.FromSeconds(i / rate) - watch.Elapsed;
            if (ahead > TimeSpan.FromMilliseconds(2))
                await Task.Delay(ahead);
            posts.Add(
                intake.AcceptAsync(
                    SampleOrders.New(required) with
                    {
                        Premium = premium(i),
                        ReleaseAt = releaseAt,
                        CustomerEmail = customer,
                    }
                )
            );
            if (double.IsPositiveInfinity(rate) && posts.Count % 500 == 0)
                await Task.WhenAll(posts);
        }

        await Task.WhenAll(posts);
    }

    private async Task<TimeSpan> ReleasedAsync(DateTimeOffset due)
    {
        await Eventually.That(
            () => TestSystem.Database.CountAsync("outbox where due_at <= $1", due),
            Is.Zero,
            "rows that are due and have not left",
            TimeSpan.FromMinutes(2)
        );
        return DateTimeOffset.UtcNow - due;
    }

    // The newest first: counting all of them again and again would be a load of its own.
    private async Task UntilCompletedAsync(TimeSpan within)
    {
        await Eventually.That(
            () =>
                TestSystem.Database.CountAsync(
                    $"(select status from order_progress order by order_id desc limit 20) t where status <> {OrderStatus.Completed:D}"
                ),
            Is.Zero,
            "newest orders that are not completed",
            within
        );
        await Eventually.That(
            () => TestSystem.Database.CountAsync($"order_progress where status <> {OrderStatus.Completed:D}"),
            Is.Zero,
            "orders that are not completed",
            within
        );
    }

    private Task<double> PercentileAsync(string which, double share) =>
        TestSystem.Database.ScalarAsync<double>(
            string.Create(
                CultureInfo.InvariantCulture,
                $"select percentile_cont({share}) within group (order by extract(epoch from p.completed_at - o.created_at))::float8 from orders o join order_progress p on p.order_id = o.id where {which}"
            )
        );
}
