using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Orders.Contracts;
using Orders.Infrastructure.Feeding;
using Orders.Infrastructure.Intake;
using Orders.Testing;
using QueueWorkers.Idempotency;
using QueueWorkers.Outbox.Relaying;
using QueueWorkers.Steps;

namespace Orders.Infrastructure.Tests.Orders;

/// <summary>
/// Premium orders come faster than a step can work. The broker's order is strict, and still no normal order starves.
/// </summary>
public sealed class AgingTests : SystemFixture
{
    private const int Normal = 20;

    // The last ones are for a machine so busy that the premium orders of the beginning are not done before.
    private static readonly TimeSpan[] Ages = [.. new[] { 1, 3, 6, 12, 24 }.Select(s => TimeSpan.FromSeconds(s))];

    internal static StepCatalogue OneSlowStep =>
        new StepCatalogue().Add<SlowStep>().PublishesEvent<OrderCompleted>().PublishesEvent<OrderRejected>();

    protected override StepCatalogue Catalogue => OneSlowStep;

    [Test]
    public async Task Normal_orders_are_done_while_premium_ones_keep_coming()
    {
        await using var host = await TestSystem.StartAsync();
        var intake = host.Services.GetRequiredService<OrderIntake>();
        var required = await TestSystem.RequiredStepsAsync();
        await using var source = NpgsqlDataSource.Create(TestSystem.Database.ConnectionString);
        var aging = new OrderAging(source, host.Feed, TimeProvider.System, SampleOrders.Personal) { Ages = [.. Ages] };
        using var enough = new CancellationTokenSource();
        await FloodAsync(200);
        var normal = await Task.WhenAll(
            Enumerable
                .Range(0, Normal)
                .Select(async _ =>
                {
                    var order = SampleOrders.New(required);
                    await intake.AcceptAsync(order);
                    return order.Id;
                })
        );

        // Beside the looks, and not between them: while no premium order waits, normal ones are done without a copy.
        var flood = FloodUntilAsync(enough.Token);
        var copies = 0;
        await Eventually.That(
            async () =>
            {
                copies += await aging.LookAsync(CancellationToken.None);
                return await TestSystem.Database.CountAsync(
                    $"effects where subject_id = any($1) and state = {EffectState.Done:D}",
                    normal
                );
            },
            Is.EqualTo((long)Normal),
            "normal orders that are done",
            TimeSpan.FromSeconds(60)
        );

        Assert.That(
            copies,
            Is.InRange(1, Normal),
            "copies that were sent, one for each who waited; none would mean that nobody was overtaken, and this test proves nothing"
        );
        await Eventually.That(
            () => TestSystem.Broker.CountAsync("slow"),
            Is.GreaterThanOrEqualTo(200u),
            "premium orders still wait"
        );
        await enough.CancelAsync();
        await flood;
        Assert.That(
            await TestSystem.Database.CountAsync(
                $"step_runs where subject_id = any($1) and attempts = 1 and status = {StepStatus.Done:D}",
                normal
            ),
            Is.EqualTo(Normal),
            "each was done once"
        );

        Task FloodUntilAsync(CancellationToken cancellationToken) =>
            Eventually.Is(
                async () =>
                {
                    await FloodAsync(400);
                    return cancellationToken.IsCancellationRequested;
                },
                "enough premium orders have come",
                TimeSpan.FromMinutes(2)
            );

        async Task FloodAsync(uint waiting)
        {
            while (await TestSystem.Broker.CountAsync("slow") < waiting && !enough.IsCancellationRequested)
            {
                await Task.WhenAll(
                    Enumerable
                        .Range(0, 200)
                        .Select(_ => intake.AcceptAsync(SampleOrders.New(required) with { Premium = true }))
                );
                await TestSystem.UntilOutboxIsEmptyAsync();
            }
        }
    }

    [Test]
    public async Task However_long_an_order_waits_a_step_gets_its_message_once_more_and_not_again()
    {
        await TestSystem.Database.ExecuteAsync(
            "truncate orders, order_lines, order_progress, step_runs, effects, idempotency, outbox"
        );
        await using var source = NpgsqlDataSource.Create(TestSystem.Database.ConnectionString);
        using var feed = new RelayFeed();
        var time = new FixedTime();
        var aging = new OrderAging(source, feed, time, SampleOrders.Personal);
        var normal = Enumerable.Range(0, 5).Select(_ => SampleOrders.New(1)).ToArray();
        var premium = SampleOrders.New(1) with { Premium = true };
        await TestSystem.StoreAsync([.. normal, premium]);
        await TestSystem.Database.ExecuteAsync(
            "insert into step_runs (subject_id, step, status, attempts) values ($1, 'slow', 2, 1)",
            premium.Id
        );

        var copies = new List<int>();
        var created = await CreatedAsync(normal[0]);
        foreach (var age in aging.Ages)
        {
            time.Now = created + age + TimeSpan.FromSeconds(1);
            copies.Add(await aging.LookAsync(CancellationToken.None));
        }

        Assert.That(copies, Is.EqualTo([5, 0, 0, 0]), "copies at each age");
        Assert.That(
            await TestSystem.Database.CountAsync(
                "aged_messages where subject_id = any($1) and step = 'slow' and priority = $2",
                normal.Select(o => o.Id).ToArray(),
                OrderPriority.Premium
            ),
            Is.EqualTo(5)
        );
        Assert.That(
            await TestSystem.Database.CountAsync(
                "outbox where correlation_id = any($1) and priority = $2",
                normal.Select(o => o.Id.ToString()).ToArray(),
                OrderPriority.Premium
            ),
            Is.EqualTo(5),
            "rows of the copies"
        );
    }

    // What is remembered between the looks is that somebody was unfinished; after a gap in them (at the beginning here,
    // and before the last look there) nothing is known, and all ages are looked at.
    [TestCase(4, false, TestName = "Who_is_overtaken_only_later_is_found_at_a_later_age")]
    [TestCase(4, true, TestName = "Who_was_dead_lettered_at_the_first_age_is_found_at_a_later_one")]
    [TestCase(40, false, TestName = "Who_passed_the_first_age_unseen_is_found_at_a_later_one")]
    public async Task A_later_age_finds(int seconds, bool isDeadLetteredFirst)
    {
        await TestSystem.Database.ExecuteAsync(
            "truncate orders, order_lines, order_progress, step_runs, effects, idempotency, outbox, aged_messages"
        );
        await using var source = NpgsqlDataSource.Create(TestSystem.Database.ConnectionString);
        using var feed = new RelayFeed();
        var time = new FixedTime();
        var aging = new OrderAging(source, feed, time, SampleOrders.Personal);
        var (normal, premium) = (SampleOrders.New(1), SampleOrders.New(1) with { Premium = true });
        await TestSystem.StoreAsync([normal, premium]);
        if (isDeadLetteredFirst)
            await TestSystem.Database.ExecuteAsync(
                "update order_progress set failed = 1 where order_id = $1",
                normal.Id
            );

        var copies = 0;
        var created = await CreatedAsync(normal);
        var (first, second) = (aging.Ages[0], aging.Ages[1]);
        for (
            var age = first - TimeSpan.FromSeconds(13);
            age < second - TimeSpan.FromSeconds(5);
            age += TimeSpan.FromSeconds(seconds)
        )
        {
            time.Now = created + age;
            copies += await aging.LookAsync(CancellationToken.None);
        }

        Assert.That(copies, Is.Zero, "copies while no premium order is done");
        await TestSystem.Database.ExecuteAsync("update order_progress set failed = 0 where order_id = $1", normal.Id);
        await TestSystem.Database.ExecuteAsync(
            "insert into step_runs (subject_id, step, status, attempts) values ($1, 'slow', 2, 1)",
            premium.Id
        );
        for (
            var age = seconds == 4 ? second - TimeSpan.FromSeconds(5) : second + TimeSpan.FromSeconds(1);
            age < second + TimeSpan.FromSeconds(5);
            age += TimeSpan.FromSeconds(3)
        )
        {
            time.Now = created + age;
            copies += await aging.LookAsync(CancellationToken.None);
        }

        Assert.That(copies, Is.EqualTo(1), "copies at the second age");
    }

    [Test]
    public async Task In_each_second_one_process_of_all_looks_and_the_next_goes_on_from_there()
    {
        await TestSystem.Database.ExecuteAsync(
            "truncate orders, order_lines, order_progress, step_runs, effects, idempotency, outbox"
        );
        await using var source = NpgsqlDataSource.Create(TestSystem.Database.ConnectionString);
        using var feed = new RelayFeed();
        var time = new FixedTime();
        var (one, another) = (
            new OrderAging(source, feed, time, SampleOrders.Personal),
            new OrderAging(source, feed, time, SampleOrders.Personal)
        );
        var normal = SampleOrders.New(1);
        var premium = SampleOrders.New(1) with { Premium = true };
        await TestSystem.StoreAsync([normal, premium]);
        await TestSystem.Database.ExecuteAsync(
            "insert into step_runs (subject_id, step, status, attempts) values ($1, 'slow', 2, 1)",
            premium.Id
        );

        var old =
            DateTimeOffset.FromUnixTimeMilliseconds(
                (long)(
                    await TestSystem.Database.ScalarAsync<double>(
                        "select extract(epoch from uuid_extract_timestamp($1))::float8 * 1000",
                        normal.Id
                    )
                )
            ) + one.Ages[0];
        time.Now = old - TimeSpan.FromSeconds(0.3);
        Assert.That(await one.LookAsync(CancellationToken.None), Is.Zero, "before it is old enough");
        time.Now = old + TimeSpan.FromSeconds(0.3);
        Assert.That(
            await another.LookAsync(CancellationToken.None),
            Is.Zero,
            "within the second in which somebody looked"
        );
        time.Now = old + TimeSpan.FromSeconds(0.8);
        Assert.That(await another.LookAsync(CancellationToken.None), Is.EqualTo(1), "a second later");
    }

    [Test]
    public async Task Premium_orders_that_wait_for_a_time_of_their_own_hide_none_that_is_done()
    {
        await TestSystem.Database.ExecuteAsync(
            "truncate orders, order_lines, order_progress, step_runs, effects, idempotency, outbox, aged_messages"
        );
        await using var source = NpgsqlDataSource.Create(TestSystem.Database.ConnectionString);
        using var feed = new RelayFeed();
        var time = new FixedTime();
        var aging = new OrderAging(source, feed, time, SampleOrders.Personal);
        var created = DateTimeOffset.UtcNow;
        await TestSystem.StoreAsync([SampleOrders.New(1)]);
        await TestSystem.Database.ExecuteAsync(
            $"""
            with stored as (
                insert into orders (id, client_id, customer_name, customer_email, currency, total, premium, ship_line1,
                    ship_city, ship_postal_code, ship_country, created_at, release_at)
                select uuidv7(), 'shop', 'Zoe', 'zoe@example.com', 'EUR', 1, true, 'Road 1', 'Town', '12345', 'DE',
                    now(), now() + interval '1 day' from generate_series(1, {AgingQueries.MostPremium})
                returning id)
            insert into order_progress (order_id, required, done, failed) select id, 1, 0, 0 from stored
            """
        );
        var premium = SampleOrders.New(1) with { Premium = true };
        await TestSystem.StoreAsync([premium]);
        await TestSystem.Database.ExecuteAsync(
            $"insert into step_runs (subject_id, step, status, attempts) values ($1, 'slow', {StepStatus.Done:D}, 1)",
            premium.Id
        );

        var copies = 0;
        for (var seconds = -3; seconds <= 12; seconds += 3)
        {
            time.Now = created + aging.Ages[0] + TimeSpan.FromSeconds(seconds);
            copies += await aging.LookAsync(CancellationToken.None);
        }

        Assert.That(copies, Is.EqualTo(1), "copies of the order that was overtaken");
    }

    [TestCase(false, false, null)]
    [TestCase(true, false, OrderPriority.Premium)]
    [TestCase(false, true, OrderPriority.Released)]
    [TestCase(true, true, OrderPriority.PremiumReleased)]
    public async Task An_accepted_order_carries_its_class(bool premium, bool released, short? priority)
    {
        await using var source = NpgsqlDataSource.Create(TestSystem.Database.ConnectionString);
        using var feed = new RelayFeed();
        await using var intake = new OrderIntake(source, feed, SampleOrders.Personal);
        var order = SampleOrders.New(1) with
        {
            Premium = premium,
            ReleaseAt = released ? DateTimeOffset.UtcNow.AddDays(1) : null,
        };
        await intake.AcceptAsync(order);

        Assert.That(
            await TestSystem.Database.ScalarAsync<int>(
                "select coalesce(priority, -1) from outbox where correlation_id = $1",
                order.Id.ToString()
            ),
            Is.EqualTo(priority ?? -1)
        );
        await TestSystem.Database.ExecuteAsync("delete from outbox where correlation_id = $1", order.Id.ToString());
    }

    // By its id, which is what the looks go by; storing it takes a busy machine its time.
    private async Task<DateTimeOffset> CreatedAsync(NewOrder order) =>
        new(await TestSystem.Database.ScalarAsync<DateTime>("select uuid_extract_timestamp($1)", order.Id));
}

/// <summary>Takes its time: five at once, fifty milliseconds each.</summary>
public sealed class SlowStep : IConsumer<OrderAccepted>, IStep
{
    public static StepPolicy Policy => new("slow");

    public Task Consume(ConsumeContext<OrderAccepted> context) =>
        Task.Delay(TimeSpan.FromMilliseconds(50), context.CancellationToken);
}

/// <summary>A clock that stands.</summary>
file sealed class FixedTime : TimeProvider
{
    public DateTimeOffset Now { get; set; }

    public override DateTimeOffset GetUtcNow() => Now;
}
