using System.Diagnostics;
using System.Globalization;
using Orders.Infrastructure;
using Orders.Infrastructure.Intake;
using QueueWorkers.DeadLetters;

namespace Orders.Dashboard.Tests.Failures;

/// <summary>What is redriven stands behind what is posted now.</summary>
internal sealed class FreshOrdersDuringRedriveTests : ShopFixture
{
    private const int PostedPerSecond = 20;

    private static readonly string? Size = Environment.GetEnvironmentVariable("ORDERS_SHOW_REDRIVE");

    [Test, Order(1)]
    public async Task A_queue_full_of_redriven_messages_lets_fresh_orders_pass()
    {
        const int deadLettered = 200,
            posted = 5;
        await using var host = await WorkAsync("*");
        var stored = await OrdersAsync(deadLettered);
        await DeadLetterAsync(await TestSystem.StoreAsync(stored));
        await UntilFailuresAsync(FailureState.Failed, deadLettered);

        // Paused, so that all of them stand in the queue before the first is taken out of it. The worker hears of that
        // within two seconds; until then it would take some.
        Assert.That(
            (await PostAsync("/api/steps/email/pause", OperatorsKey, new { reason = "to fill the queue" })).Status,
            Is.EqualTo(200)
        );
        await Eventually.That(
            () => TestSystem.Broker.ConsumersAsync("email"),
            Is.Zero,
            "consumers of the paused step's queue"
        );
        var made = await PostAsync(
            "/api/redrives",
            OperatorsKey,
            new
            {
                filter = new { step = "email" },
                reason = "The disk is back.",
                start = true,
                canary = 0,
                ratePerSecond = 1000,
            }
        );
        await Eventually.That(
            () => TestSystem.Broker.CountAsync("email"),
            Is.EqualTo((uint)deadLettered),
            "redriven messages in the queue"
        );
        var fresh = await OrdersAsync(posted);
        await PostAsync(host, fresh);
        await Eventually.That(
            () => TestSystem.Broker.CountAsync("email"),
            Is.EqualTo((uint)(deadLettered + posted)),
            "messages in the queue"
        );
        Assert.That(
            (await PostAsync("/api/steps/email/resume", OperatorsKey, new { reason = "it is full" })).Status,
            Is.EqualTo(200)
        );

        var done = await UntilDoneAsync(
            $"/api/redrives/{made.Body["redrive"]!["id"]!.GetValue<Guid>()}",
            TimeSpan.FromMinutes(1)
        );
        Assert.That(done["done"]!.GetValue<int>(), Is.EqualTo(deadLettered), done.ToJsonString());
        var ids = fresh.Select(o => o.Id).ToArray();
        await Eventually.That(
            () =>
                TestSystem.Database.CountAsync(
                    $"order_progress where status = {OrderStatus.Completed:D} and order_id = any($1)",
                    (object)ids
                ),
            Is.EqualTo(posted),
            "fresh orders completed"
        );
        Assert.That(
            await TestSystem.Database.CountAsync(
                "step_runs r where r.step = 'email' and r.subject_id <> all($1) and r.started_at < (select max(started_at) from step_runs where step = 'email' and subject_id = any($1))",
                (object)ids
            ),
            // Not none: ten are taken from the queue together, and in which order they begin on a busy machine is the
            // scheduler's. In one class it would be nearly all of them.
            Is.LessThan(deadLettered / 4),
            "redriven mails begun before the last fresh one"
        );
    }

    [Test, Order(2)]
    public async Task P95_of_fresh_orders_stays_below_twice_its_idle_value()
    {
        if (Size is null)
            Assert.Ignore("A measurement: wants the machine for itself. ORDERS_SHOW_REDRIVE=10000 runs it.");
        var deadLettered = int.Parse(Size, CultureInfo.InvariantCulture);
        // As it is shipped, and at the default rate: the suite's other tests compare index and queues ten times as
        // often.
        await RestartDashboardAsync(("Failures:Interval", "00:00:02"), ("Failures:Grace", "00:00:15"));
        await using var host = await WorkAsync("*");
        await TestSystem.Database.ExecuteAsync(
            "update stock set initial = initial + 1000000, on_hand = on_hand + 1000000"
        );
        await PostForAsync(host, TimeSpan.FromSeconds(10), () => Task.FromResult(false));
        var idle = await P95Async(await PostForAsync(host, TimeSpan.FromSeconds(30), () => Task.FromResult(false)));

        await DeadLetterAsync(await TestSystem.StoreAsync(await OrdersAsync(deadLettered)));
        await UntilFailuresAsync(FailureState.Failed, deadLettered, TimeSpan.FromMinutes(5));
        var watch = Stopwatch.StartNew();
        var made = await PostAsync(
            "/api/redrives",
            OperatorsKey,
            new
            {
                filter = new { step = "email" },
                reason = "The disk is back.",
                start = true,
            }
        );
        var redrive = $"/api/redrives/{made.Body["redrive"]!["id"]!.GetValue<Guid>()}";
        var busy = await P95Async(
            await PostForAsync(
                host,
                TimeSpan.FromMinutes(10),
                async () => (await GetAsync(redrive, ViewerKey)).Body["redrive"]!["stage"]!.GetValue<string>() == "Done"
            )
        );
        var done = await UntilDoneAsync(redrive);
        await TestContext.Progress.WriteLineAsync(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{deadLettered} redriven in {watch.Elapsed.TotalSeconds:0} s; fresh orders at {PostedPerSecond}/s, from posted to completed: p95 {idle * 1000:0} ms idle, {busy * 1000:0} ms meanwhile"
            )
        );
        Assert.That(done["done"]!.GetValue<int>(), Is.EqualTo(deadLettered), done.ToJsonString());
        Assert.That(busy, Is.LessThan(2 * idle), "seconds, 95 % of the fresh orders");
    }

    // At a rate, without waiting for anybody, until the time is up or the condition holds.
    private async Task<Guid[]> PostForAsync(RunningHost host, TimeSpan longest, Func<Task<bool>> isOver)
    {
        var intake = (OrderIntake)host.Services.GetService(typeof(OrderIntake))!;
        var template = (await OrdersAsync(1))[0];
        var (orders, posts) = (new List<NewOrder>(), new List<Task>());
        var watch = Stopwatch.StartNew();
        while (watch.Elapsed < longest)
        {
            if (orders.Count % PostedPerSecond == 0 && await isOver())
                break;
            orders.Add(SampleOrders.New(template.RequiredSteps, ("MUG-BLUE", 1)));
            posts.Add(intake.AcceptAsync(orders[^1]));
            if (TimeSpan.FromSeconds((double)orders.Count / PostedPerSecond) - watch.Elapsed is { Ticks: > 0 } ahead)
                await Task.Delay(ahead);
        }

        await Task.WhenAll(posts);
        Guid[] ids = [.. orders.Select(o => o.Id)];
        await Eventually.That(
            () =>
                TestSystem.Database.CountAsync(
                    $"order_progress where status = {OrderStatus.Completed:D} and order_id = any($1)",
                    (object)ids
                ),
            Is.EqualTo(ids.Length),
            "fresh orders completed",
            TimeSpan.FromMinutes(1)
        );
        return ids;
    }

    private Task<double> P95Async(Guid[] orders) =>
        TestSystem.Database.ScalarAsync<double>(
            """
            select percentile_cont(0.95) within group (order by extract(epoch
                from p.completed_at - o.created_at))::float8 from orders o join order_progress p on p.order_id = o.id
                where o.id = any($1)
            """,
            (object)orders
        );
}
