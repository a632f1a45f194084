using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Orders.Contracts;
using Orders.Infrastructure.Completeness;
using Orders.Testing;
using QueueWorkers.Completeness;
using QueueWorkers.Operators;
using QueueWorkers.Outbox;
using QueueWorkers.Outbox.Relaying;
using QueueWorkers.Scheduling;
using QueueWorkers.Steps;
using QueueWorkers.Steps.Runs;

namespace Orders.Infrastructure.Tests.Completeness;

/// <summary>
/// Orders that lack something, or have it twice, are found without trusting the flags of the pipeline, and their
/// messages can be emitted again without harm.
/// </summary>
public sealed class CompletenessTests : SystemFixture
{
    private static readonly CompletenessOptions Options = new()
    {
        Deadline = TimeSpan.FromMinutes(15),
        Recheck = TimeSpan.FromSeconds(1),
    };

    private static readonly AuditEntry By = new()
    {
        Who = "ada",
        Role = "Operator",
        Action = "test",
    };

    private OneProcess _process = null!;
    private CompletenessControl _control = null!;

    // Two steps that begin with the order, one of them called as the shop calls it.
    protected override StepCatalogue Catalogue =>
        new StepCatalogue()
            .Add<WelcomeStep>()
            .Add<InventoryLikeStep>()
            .PublishesEvent<OrderCompleted>()
            .PublishesEvent<OrderRejected>();

    [OneTimeSetUp]
    public void Start()
    {
        _process = new OneProcess(TestSystem);
        _control = new CompletenessControl(TestSystem.Database.Source);
    }

    [OneTimeTearDown]
    public ValueTask Stop() => _process.DisposeAsync();

    [SetUp]
    public Task Reset() =>
        TestSystem.Database.ExecuteAsync(
            "truncate orders, order_lines, order_progress, effects, step_runs, idempotency, stock_movements, completeness_gaps, completeness_open, completeness_marks, outbox"
        );

    [Test]
    public async Task A_complete_order_is_looked_at_once()
    {
        var order = await OldOrderAsync();
        await DoAsync(order, "welcome");
        await DoAsync(order, "inventory");
        await MoveStockAsync(order);

        Assert.That(await CheckAsync(), Does.StartWith("Looked at 1 orders").And.Contain("0 new gaps"));
        Assert.That(
            await CheckAsync(),
            Does.StartWith("Looked at 0 orders"),
            "complete orders are not looked at again"
        );
        Assert.That(await GapsAsync(), Is.Empty);
    }

    [Test]
    public async Task A_young_order_has_time()
    {
        await TestSystem.StoreAsync();
        Assert.That(await CheckAsync(), Does.StartWith("Looked at 0 orders"));
    }

    [Test]
    public async Task An_order_that_lacks_an_effect_is_found_and_closed_when_it_has_it()
    {
        var order = await OldOrderAsync();
        await DoAsync(order, "inventory");
        await MoveStockAsync(order);
        await CheckAsync();

        var gap = (await GapsAsync()).Single();
        Assert.That(
            gap,
            Has.Property("SubjectId")
                .EqualTo(order)
                .And.Property("Effect")
                .EqualTo("welcome")
                .And.Property("Kind")
                .EqualTo(GapKind.Missing)
                .And.Property("Silent")
                .True
        );

        await DoAsync(order, "welcome");
        await CheckAgainAsync();
        Assert.That(await GapsAsync(), Is.Empty);
        Assert.That(
            (await _control.ListAsync(closedToo: true, null, 10, CancellationToken.None)).Single().ClosedAt,
            Is.Not.Null
        );
        Assert.That((await _control.SummaryAsync(CancellationToken.None)).ToLookAt, Is.Zero);
    }

    [Test]
    public async Task An_order_released_later_gets_its_time_from_then_on()
    {
        var order = await OldOrderAsync();
        await TestSystem.Database.ExecuteAsync(
            "update orders set release_at = now() + interval '1 day' where id = $1",
            order
        );
        await CheckAsync();
        Assert.That(await GapsAsync(), Is.Empty);
        await CheckAgainAsync();
        Assert.That(await GapsAsync(), Has.Count.EqualTo(2));
    }

    [TestCase(
        "insert into effects (subject_id, effect, message_id, step, state) select subject_id, effect, gen_random_uuid(), step, 2 from effects where effect = 'welcome'",
        "welcome",
        GapKind.Doubled
    )]
    [TestCase("delete from effects where effect = 'welcome'", "welcome", GapKind.Contradiction)]
    [TestCase("update order_progress set done = done & ~1", "welcome", GapKind.Contradiction)]
    [TestCase("delete from stock_movements where sku = 'MUG-BLUE'", "inventory", GapKind.Contradiction)]
    [TestCase("update stock_movements set quantity = 2 * quantity", "inventory", GapKind.Doubled)]
    public async Task What_does_not_agree_is_found(string damage, string effect, GapKind kind)
    {
        var order = await OldOrderAsync();
        await DoAsync(order, "welcome");
        await DoAsync(order, "inventory");
        await MoveStockAsync(order);
        // Damage that the keys would not let happen is what the check is there for: it must not lean on them.
        await TestSystem.Database.ExecuteAsync("alter table effects drop constraint if exists pk_effects");
        try
        {
            await TestSystem.Database.ExecuteAsync(damage);
            await CheckAsync();
            Assert.That(
                (await GapsAsync()).Select(g => (g.SubjectId, g.Effect, g.Kind)),
                Is.EqualTo([(order, effect, kind)])
            );
        }
        finally
        {
            await TestSystem.Database.ExecuteAsync(
                "truncate effects; alter table effects add constraint pk_effects primary key (subject_id, effect)"
            );
        }
    }

    [Test]
    public async Task A_rejected_order_needs_an_apology_and_no_stock()
    {
        var order = await OldOrderAsync();
        await DoAsync(order, "welcome");
        await DoAsync(order, "inventory");
        await TestSystem.Database.ExecuteAsync("update order_progress set rejected_at = now() - interval '1 hour'");
        await CheckAsync();
        Assert.That((await GapsAsync()).Select(g => (g.Effect, g.Kind)), Is.EqualTo([("apology", GapKind.Missing)]));
    }

    [Test]
    public async Task A_cancelled_order_whose_compensation_is_lost_is_found_and_can_be_emitted_again()
    {
        var order = await OldOrderAsync();
        await DoAsync(order, "inventory");
        await MoveStockAsync(order);
        // A moment ago: its message is on its way. The order is not forgotten for that.
        await TestSystem.Database.ExecuteAsync("update order_progress set cancelled_at = now()");
        await CheckAsync();
        Assert.That(await GapsAsync(), Is.Empty);

        await TestSystem.Database.ExecuteAsync("update order_progress set cancelled_at = now() - interval '1 hour'");
        await CheckAgainAsync();
        var gap = (await GapsAsync()).Single();
        Assert.That((gap.SubjectId, gap.Effect, gap.Kind), Is.EqualTo((order, "inventory-undo", GapKind.Missing)));

        Assert.That(
            await _control.ReemitAsync(order, "inventory-undo", By, CancellationToken.None),
            Is.EqualTo(ReemitAnswer.Asked)
        );
        await CheckAsync();
        Assert.That(
            await TestSystem.Database.CountAsync(
                "outbox where exchange = 'inventory' and convert_from(body, 'UTF8') like '%OrderCancelled%'"
            ),
            Is.EqualTo(1)
        );

        await TestSystem.Database.ExecuteAsync(
            "insert into effects (subject_id, effect, message_id, step, state) values ($1, 'inventory-undo', $2, 'inventory', 2)",
            order,
            Guid.NewGuid()
        );
        await CheckAgainAsync();
        Assert.That(
            (await GapsAsync()).Select(g => (g.Effect, g.Kind)),
            Is.EqualTo([("inventory-undo", GapKind.Contradiction)]),
            "the compensation is done, and the stock is not back"
        );
        await TestSystem.Database.ExecuteAsync("update stock_movements set quantity = 0");
        await CheckAgainAsync();
        Assert.That(await GapsAsync(), Is.Empty);
    }

    [Test]
    public async Task A_cancelled_order_that_had_nothing_done_needs_nothing()
    {
        await OldOrderAsync();
        await TestSystem.Database.ExecuteAsync("update order_progress set cancelled_at = now() - interval '1 hour'");
        await CheckAsync();
        Assert.That(await GapsAsync(), Is.Empty);
    }

    [Test]
    public async Task A_dead_lettered_step_is_a_gap_that_is_not_silent()
    {
        var order = await OldOrderAsync();
        await DoAsync(order, "inventory");
        await MoveStockAsync(order);
        await _process.Failures.RecordAsync(Run(order, "welcome"), new InvalidOperationException("No."), null);
        await CheckAsync();
        var gap = (await GapsAsync()).Single();
        Assert.That(gap.Silent, Is.False);
        Assert.That(gap.Detail, Does.Contain("dead-lettered").And.Contain("redrive"));
    }

    [Test]
    public async Task A_message_emitted_again_has_the_id_of_the_original_and_closes_the_gap()
    {
        // Two orders: of one the message was lost altogether, of the other one step has had it.
        var (untouched, half) = (await OldOrderAsync(), await OldOrderAsync());
        var seen = OutgoingMessage.IdOf<OrderAccepted>(half);
        await DoAsync(half, "inventory", seen);
        await MoveStockAsync(half);
        await CheckAsync();
        Assert.That(await GapsAsync(), Has.Count.EqualTo(3));

        Assert.That(
            await _control.ReemitAsync(half, "welcome", By, CancellationToken.None),
            Is.EqualTo(ReemitAnswer.Asked)
        );
        Assert.That(
            await _control.ReemitAsync(half, "welcome", By, CancellationToken.None),
            Is.EqualTo(ReemitAnswer.AlreadyAsked)
        );
        Assert.That(
            await _control.ReemitAsync(Guid.NewGuid(), "welcome", By, CancellationToken.None),
            Is.EqualTo(ReemitAnswer.NoSuchGap)
        );
        Assert.That(
            await _control.ReemitAsync(untouched, "welcome", By, CancellationToken.None),
            Is.EqualTo(ReemitAnswer.Asked)
        );
        Assert.That(await CheckAsync(), Does.Contain("2 messages emitted again"));
        Assert.That(
            (await TestSystem.Database.RowsAsync("select exchange, message_id from outbox")).Select(r => (r[0], r[1])),
            Is.EquivalentTo(
                new (object?, object?)[]
                {
                    ("welcome", seen),
                    ("welcome", OutgoingMessage.IdOf<OrderAccepted>(untouched)),
                }
            )
        );

        // The original turns up after all: it and the copy have one effect.
        await using var host = await TestSystem.StartAsync("welcome");
        await TestSystem.UntilAsync(half, "welcome", StepStatus.Done);
        await TestSystem.Broker.PublishToAsync(
            "welcome",
            new OrderAccepted(half, false, DateTimeOffset.UtcNow),
            new Testing.Servers.ByHand { Id = seen, CorrelationId = half }
        );
        await Eventually.That(
            () => TestSystem.Database.CountAsync("duplicates where subject_id = $1", half),
            Is.EqualTo(1),
            "the late original is dropped"
        );
        Assert.That(
            await TestSystem.Database.CountAsync("effects where subject_id = $1 and effect = 'welcome'", half),
            Is.EqualTo(1)
        );
        await CheckAgainAsync();
        Assert.That((await GapsAsync()).Select(g => (g.SubjectId, g.Effect)), Is.EqualTo([(untouched, "inventory")]));
    }

    [Test]
    public async Task Nothing_is_emitted_by_itself_unless_configured_and_then_once()
    {
        await OldOrderAsync();
        await CheckAsync();
        await CheckAsync();
        Assert.That(await TestSystem.Database.CountAsync("outbox"), Is.Zero);

        await CheckAsync(Options with { Reemit = true });
        await CheckAsync(Options with { Reemit = true });
        Assert.That(await TestSystem.Database.CountAsync("outbox"), Is.EqualTo(2), "one for each of the two steps");
    }

    [Test]
    public async Task Thousands_of_orders_are_checked_in_batches()
    {
        await TestSystem.StoreAsync([.. Enumerable.Range(0, 2500).Select(_ => SampleOrders.New(3))]);
        var result = await CheckAsync(Options with { Deadline = TimeSpan.Zero });
        TestContext.Out.WriteLine(result);
        Assert.That(result, Does.StartWith("Looked at 2500 orders").And.Contain("5000 new gaps"));
        Assert.That(
            (await _control.SummaryAsync(CancellationToken.None)),
            Has.Property("Open").EqualTo(5000).And.Property("Checked").EqualTo(2500)
        );
    }

    private static StepRun Run(Guid order, string step, Guid? message = null) =>
        OneProcess.Run(new StepPolicy(step), order, message);

    private Task<bool> DoAsync(Guid order, string step, Guid? message = null) =>
        _process.Committer.CommitAsync(Run(order, step, message));

    // An order of an hour ago, by its id and by its time.
    private async Task<Guid> OldOrderAsync()
    {
        var young = await TestSystem.StoreAsync();
        var old = Guid.CreateVersion7(DateTimeOffset.UtcNow.AddHours(-1));
        await TestSystem.Database.ExecuteAsync(
            "with o as (update orders set id = $2, created_at = now() - interval '1 hour' where id = $1), l as (update order_lines set order_id = $2 where order_id = $1) update order_progress set order_id = $2 where order_id = $1",
            young,
            old
        );
        return old;
    }

    private Task<int> MoveStockAsync(Guid order) =>
        TestSystem.Database.ExecuteAsync(
            "insert into stock_movements (order_id, sku, quantity) select order_id, sku, -quantity from order_lines where order_id = $1",
            order
        );

    private Task<IReadOnlyList<GapView>> GapsAsync() =>
        _control.ListAsync(closedToo: false, null, 500, CancellationToken.None);

    private async Task<string> CheckAgainAsync()
    {
        await TestSystem.Database.ExecuteAsync("update completeness_open set check_at = now()");
        return await CheckAsync();
    }

    private async Task<string> CheckAsync(CompletenessOptions? options = null)
    {
        await using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        using var feed = new RelayFeed();
        var metrics = new CompletenessMetrics(services.GetRequiredService<System.Diagnostics.Metrics.IMeterFactory>());
        var job = new CompletenessJob(
            TestSystem.Database.Source,
            new OrderCompleteness(Catalogue),
            options ?? Options,
            feed,
            metrics,
            NullLogger<CompletenessJob>.Instance
        );
        return await job.RunAsync(new Firing("completeness", DateTimeOffset.UtcNow), CancellationToken.None);
    }
}
