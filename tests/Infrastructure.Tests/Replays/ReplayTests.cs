using Microsoft.Extensions.DependencyInjection;
using Orders.Infrastructure.Feeding;
using Orders.Infrastructure.Tests.FifthStep;
using Orders.Testing;
using QueueWorkers.Idempotency;
using QueueWorkers.Outbox.Relaying;
using QueueWorkers.Replays;
using QueueWorkers.Steps;

namespace Orders.Infrastructure.Tests.Replays;

/// <summary>A step is fed with past orders: each once, at a set rate, from where it stopped.</summary>
public sealed class ReplayTests : SystemFixture
{
    private const int Orders = 50;
    private Guid[] _orders = [];

    protected override StepCatalogue Catalogue => AddingAStepTests.Catalogue;

    [OneTimeSetUp]
    public async Task OrdersOfThePast()
    {
        var required = await TestSystem.Database.ScalarAsync<int>(
            "select bit_or(bit) from step_catalogue where step <> 'loyalty'"
        );
        _orders = await TestSystem.StoreAsync([.. Enumerable.Range(0, Orders).Select(_ => SampleOrders.New(required))]);
    }

    [SetUp]
    public Task Forget() =>
        TestSystem.Database.ExecuteAsync("truncate replays, effects, step_runs, idempotency, outbox");

    [Test]
    public async Task A_fifth_step_is_done_for_every_past_order_once_and_not_again()
    {
        await using var host = await StartAsync("loyalty");
        var desk = host.Services.GetRequiredService<ReplayService>();
        var first = await desk.BeginAsync("loyalty", "{}", 1000, "tests", CancellationToken.None);
        await UntilAsync(desk, first.Id, ReplayState.Finished);
        await Eventually.That(
            () => TestSystem.Database.CountAsync($"effects where effect = 'loyalty' and state = {EffectState.Done:D}"),
            Is.EqualTo(Orders),
            "effects"
        );
        var second = await desk.BeginAsync(
            "loyalty",
            """{ "status": "Processing" }""",
            1000,
            "tests",
            CancellationToken.None
        );
        await UntilAsync(desk, second.Id, ReplayState.Finished);

        var (one, two) = (
            await desk.FindAsync(first.Id, CancellationToken.None),
            await desk.FindAsync(second.Id, CancellationToken.None)
        );
        Assert.That((one!.Seen, one.Fed, one.AlreadyDone), Is.EqualTo((Orders, Orders, 0)));
        Assert.That((two!.Seen, two.Fed, two.AlreadyDone), Is.EqualTo((Orders, 0, Orders)));
        Assert.That(
            await TestSystem.Database.CountAsync(
                $"step_runs where step = 'loyalty' and attempts = 1 and status = {StepStatus.Done:D}"
            ),
            Is.EqualTo(Orders)
        );
    }

    [Test]
    public async Task It_goes_on_where_it_stopped_and_keeps_its_rate()
    {
        await using var source = Npgsql.NpgsqlDataSource.Create(TestSystem.Database.ConnectionString);
        using var feed = new RelayFeed();
        var orders = new OrderReplays(source, SampleOrders.Personal);
        var desk = new ReplayService(source, orders);
        var replay = await desk.BeginAsync("loyalty", "{}", 20, "tests", CancellationToken.None);

        // Each runner is a process: the first is gone after one turn.
        await NewRunner().TurnAsync(CancellationToken.None);
        Assert.That(await FedAsync(), Is.EqualTo(20), "fed in one turn, which is a second");
        Assert.That(await desk.StopAsync(replay.Id, CancellationToken.None));
        await NewRunner().TurnAsync(CancellationToken.None);
        Assert.That(await FedAsync(), Is.EqualTo(20), "fed while it is stopped");
        Assert.That(await desk.ResumeAsync(replay.Id, CancellationToken.None));
        await NewRunner().TurnAsync(CancellationToken.None);
        await NewRunner().TurnAsync(CancellationToken.None);

        Assert.That((await desk.FindAsync(replay.Id, CancellationToken.None))!.State, Is.EqualTo(ReplayState.Finished));
        Assert.That(await TestSystem.Database.CountAsync("outbox where exchange = 'loyalty'"), Is.EqualTo(Orders));
        Assert.That(
            await TestSystem.Database.ScalarAsync<string>(
                "select string_agg(correlation_id, ',' order by correlation_id) from outbox"
            ),
            Is.EqualTo(string.Join(',', _orders.Select(o => o.ToString()).Order(StringComparer.Ordinal))),
            "each order once"
        );

        ReplayRunner NewRunner() =>
            new(
                source,
                orders,
                feed,
                TimeProvider.System,
                Microsoft.Extensions.Logging.Abstractions.NullLogger<ReplayRunner>.Instance
            );

        async Task<long> FedAsync() => (await desk.FindAsync(replay.Id, CancellationToken.None))!.Fed;
    }

    [Test]
    public async Task A_replay_that_meets_a_defect_stands_and_says_why_and_the_loop_goes_on()
    {
        await using var source = Npgsql.NpgsqlDataSource.Create(TestSystem.Database.ConnectionString);
        using var feed = new RelayFeed();
        var desk = new ReplayService(source, new OrderReplays(source, SampleOrders.Personal));
        var replay = await desk.BeginAsync("loyalty", "{}", 20, "tests", CancellationToken.None);
        using var runner = new ReplayRunner(
            source,
            new Defective(),
            feed,
            TimeProvider.System,
            Microsoft.Extensions.Logging.Abstractions.NullLogger<ReplayRunner>.Instance
        );

        await runner.TurnAsync(CancellationToken.None);
        var stands = await desk.FindAsync(replay.Id, CancellationToken.None);
        Assert.That(
            (stands!.State, stands.LastError),
            Is.EqualTo((ReplayState.Failed, "InvalidCastException: a column that is null"))
        );
    }

    private sealed class Defective : IReplaySource
    {
        public Task CheckAsync(string stepName, string filter, CancellationToken cancellationToken) =>
            Task.CompletedTask;

        public Task<ReplayBatch> NextAsync(
            Npgsql.NpgsqlConnection connection,
            Replay replay,
            int limit,
            CancellationToken cancellationToken
        ) => throw new InvalidCastException("a column that is null");
    }

    [Test]
    public async Task Two_processes_at_once_feed_nothing_twice()
    {
        await using var source = Npgsql.NpgsqlDataSource.Create(TestSystem.Database.ConnectionString);
        using var feed = new RelayFeed();
        var orders = new OrderReplays(source, SampleOrders.Personal);
        var desk = new ReplayService(source, orders);
        var replay = await desk.BeginAsync("loyalty", "{}", 10, "tests", CancellationToken.None);
        var runners = Enumerable
            .Range(0, 2)
            .Select(_ => new ReplayRunner(
                source,
                orders,
                feed,
                TimeProvider.System,
                Microsoft.Extensions.Logging.Abstractions.NullLogger<ReplayRunner>.Instance
            ));
        await Task.WhenAll(
            runners.Select(async r =>
            {
                // A turn that meets the other process's lock feeds nothing, so their number says nothing.
                while ((await desk.FindAsync(replay.Id, CancellationToken.None))!.State == ReplayState.Running)
                    await r.TurnAsync(CancellationToken.None);
            })
        );

        Assert.That(await TestSystem.Database.CountAsync("outbox"), Is.EqualTo(Orders));
        Assert.That(
            await TestSystem.Database.ScalarAsync<long>("select count(distinct correlation_id) from outbox"),
            Is.EqualTo(Orders)
        );
    }

    [TestCase("parrot", "{}", "There is no step 'parrot'")]
    [TestCase("hurried", "{}", "a message can be made of an order for")]
    [TestCase("loyalty", """{ "colour": "blue" }""", "A replay's filter is refused")]
    public async Task What_cannot_be_replayed_is_refused_with_a_reason(string step, string filter, string reason)
    {
        await using var source = Npgsql.NpgsqlDataSource.Create(TestSystem.Database.ConnectionString);
        var desk = new ReplayService(source, new OrderReplays(source, SampleOrders.Personal));
        Assert.That(
            () => desk.BeginAsync(step, filter, 10, "tests", CancellationToken.None),
            Throws.TypeOf<ReplayRefusedException>().With.Message.Contains(reason)
        );
    }

    [TestCase("""{ "premium": true }""")]
    [TestCase("""{ "client": "somebody else" }""")]
    [TestCase("""{ "to": "2001-01-01T00:00:00Z" }""")]
    [TestCase("""{ "status": "Completed" }""")]
    public async Task Only_orders_that_match_are_looked_at(string filter)
    {
        await using var source = Npgsql.NpgsqlDataSource.Create(TestSystem.Database.ConnectionString);
        using var feed = new RelayFeed();
        var orders = new OrderReplays(source, SampleOrders.Personal);
        var desk = new ReplayService(source, orders);
        var replay = await desk.BeginAsync("loyalty", filter, 1000, "tests", CancellationToken.None);
        await new ReplayRunner(
            source,
            orders,
            feed,
            TimeProvider.System,
            Microsoft.Extensions.Logging.Abstractions.NullLogger<ReplayRunner>.Instance
        ).TurnAsync(CancellationToken.None);
        var finished = await desk.FindAsync(replay.Id, CancellationToken.None);
        Assert.That((finished!.State, finished.Seen), Is.EqualTo((ReplayState.Finished, 0L)));
    }

    private Task<RunningHost> StartAsync(string steps) =>
        TestSystem.StartAsync(steps, services => services.AddOrderFeeding());

    private static Task<ReplayState> UntilAsync(ReplayService desk, Guid id, ReplayState state) =>
        Eventually.That(
            async () => (await desk.FindAsync(id, CancellationToken.None))!.State,
            Is.EqualTo(state),
            "state of the replay"
        );
}
