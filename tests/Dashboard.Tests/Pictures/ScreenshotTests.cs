using Microsoft.Playwright;
using Orders.Contracts;
using Orders.Dashboard.Tests.Pages;
using Orders.Dashboard.Tests.Routes;
using Orders.Infrastructure;
using Orders.Infrastructure.Bulk;
using Orders.Infrastructure.Intake;
using Orders.Testing.Servers;
using QueueWorkers.Bulk;
using QueueWorkers.DeadLetters;
using QueueWorkers.Redrive;
using QueueWorkers.Scheduling;
using QueueWorkers.Steps;

namespace Orders.Dashboard.Tests.Pictures;

/// <summary>
/// The pictures in <c>docs/images</c>, all of one day of one shop: every order in them was posted and processed, what is
/// said to have failed has failed, and the figures of one picture agree with those of the others. Numbers, names and
/// faults are the same at each run; times are those of the run. Only the two weeks before are written by hand.
/// <c>./dev screenshots</c> runs it; without ORDERS_TEST_PICTURES, the folder, nothing is painted.
/// </summary>
internal sealed class ScreenshotTests : ShopFixture
{
    private const int Rounds = 4;
    private const int OrdersInARound = 60;
    private const int RefusedByTheWarehouse = 4;
    private const int OrdersOfTheOutage = 40;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);
    private readonly HashSet<string> _taken = [];
    private Shoppers _shoppers = null!;
    private Camera _camera = null!;
    private RunningHost _host = null!;

    // Without receipts of the mail server, nobody knows of some mails whether they were sent.
    private static readonly (string, string?)[] NoReceipts = [("Email:ReceiptsUrl", "")];

    protected override IEnumerable<(string Name, string? Value)> Settings =>
        [.. base.Settings, ("Live:WaitingAge", "00:00:05")];

    [Test]
    public async Task Are_taken_of_one_day_of_one_shop()
    {
        if (Environment.GetEnvironmentVariable("ORDERS_TEST_PICTURES") is not { Length: > 0 } folder)
        {
            Assert.Ignore("ORDERS_TEST_PICTURES names no folder.");
            return;
        }

        await ShopHistory.WriteAsync(TestSystem);
        await Browsing.GivePasswordsAsync(TestSystem);
        _shoppers = await Shoppers.OfAsync(TestSystem);
        await BehaveAsync(new { smtp = new { mode = "ok" }, warehouse = new { mode = "slow", delayMs = 150 } });
        await using var host = await TestSystem.StartAsync("*", WithSchedules, [.. Towards(), .. NoReceipts]);
        await using var second = await WorkAsync("*", NoReceipts);
        await using var camera = await Camera.OpenAsync(Dashboard.Address, "anna", folder);
        (_host, _camera) = (host, camera);

        await TheShopIsSetUpAsync();
        var order = await SomeMailsAreRefusedAsync();
        await TheWarehouseRefusesSomeAsync();
        await TheMailServerIsAwayForAWhileAsync();
        await CustomersComeAsync();
        await AnOperatorLooksAsync(order);
        await TheRefusedMailsAreRedrivenAsync(order);
        await WhatTheWarehouseRefusedIsArchivedAsync();
        await TheRestAsync();
        Assert.That(
            PageRoutes.Of(Dashboard).Where(r => r.IsPage).Select(r => DashboardPages.PictureOf(r.Path)),
            Is.SubsetOf(_taken),
            "pages with pictures: a page that was added is taken here"
        );
    }

    private void WithSchedules(Microsoft.Extensions.DependencyInjection.IServiceCollection services) =>
        services.AddSchedules(TestSystem.Configuration(), Workers.Schedules.Catalogue);

    private async Task TheShopIsSetUpAsync()
    {
        foreach (
            var (client, reason) in ((string, string)[])
                [("web-shop", "The web shop."), ("marketplace", "Orders of the marketplace.")]
        )
            await OkAsync(
                "/api/keys",
                AdminKey,
                new
                {
                    client,
                    scopes = (string[])["orders:write", "orders:read"],
                    reason,
                }
            );
        await OkAsync(
            "/api/operators",
            AdminKey,
            new
            {
                name = "lena",
                role = "Operator",
                withPassword = true,
                reason = "Takes over the early shift.",
            }
        );
        await OkAsync("/api/steps/warehouse/pause", OperatorsKey, new { reason = "The warehouse counts its stock." });
        await OkAsync("/api/steps/warehouse/resume", OperatorsKey, new { reason = "The stock is counted." });
        Assert.That(
            (
                await SendAsync(
                    HttpMethod.Put,
                    "/api/steps/email/concurrency",
                    OperatorsKey,
                    new { perReplica = 8, reason = "The mail server allows 20 connections." }
                )
            ).Status,
            Is.InRange(200, 299)
        );
        await OkAsync("/api/schedules/purge/run", OperatorsKey, new { reason = "To see what is old." });
    }

    // 36 mails of 240, and one order that was tried several times before.
    private async Task<Guid> SomeMailsAreRefusedAsync()
    {
        await BehaveAsync(new { smtp = new { mode = "reject", share = 0.15 } });
        for (var round = 0; round < Rounds; round++)
            await PostAsync(_host, _shoppers.Next(OrdersInARound));
        await UntilSettledAsync();
        await BehaveAsync(new { smtp = new { mode = "tempfail" } });
        var tried = _shoppers.Next(1);
        await PostAsync(_host, tried);
        await Eventually.That(
            () => TestSystem.Database.CountAsync("step_attempts where subject_id = $1", tried[0].Id),
            Is.Positive,
            "failed attempts",
            Patience
        );
        await BehaveAsync(new { smtp = new { mode = "reject" } });
        await Eventually.That(
            () => TestSystem.Database.CountAsync("failures where subject_id = $1", tried[0].Id),
            Is.EqualTo(1),
            "failures of the order",
            Patience
        );
        await BehaveAsync(new { smtp = new { mode = "ok" } });
        return tried[0].Id;
    }

    // And some orders end otherwise: out of stock, released tomorrow, cancelled, and two mails of which nobody knows.
    private async Task TheWarehouseRefusesSomeAsync()
    {
        await BehaveAsync(new { warehouse = new { mode = "reject" } });
        await PostAsync(_host, _shoppers.Next(RefusedByTheWarehouse));
        await UntilSettledAsync();
        await BehaveAsync(new { warehouse = new { mode = "slow", delayMs = 150 } });
        await PostAsync(_host, [_shoppers.NextOutOfStock(), _shoppers.NextOutOfStock()]);
        var tomorrow = DateTimeOffset.UtcNow.Date.AddDays(1).AddHours(8);
        NewOrder[] later = [.. _shoppers.Next(6).Select(o => o with { ReleaseAt = tomorrow })];
        await PostAsync(_host, later);
        await OkAsync(
            $"/api/orders/{later[^1].Id}/cancel",
            OperatorsKey,
            new { reason = "The customer rang: the wrong colour." }
        );
        foreach (var order in _shoppers.Next(2))
            await UncertainAsync(order);
        await UntilSettledAsync();
    }

    // A run that died between the mail server's answer and its own commit.
    private async Task UncertainAsync(NewOrder order)
    {
        await TestSystem.StoreAsync([order]);
        var message = Guid.NewGuid();
        await TestSystem.Database.ExecuteAsync(
            "insert into effects (subject_id, effect, message_id, step, state, lease_until, reference) values ($1, 'email', $2, 'email', 1, now() - interval '1 second', $3)",
            order.Id,
            message,
            $"confirmation-{order.Id:N}@orders.example"
        );
        foreach (var step in (string[])["email", "inventory"])
            await TestSystem.Broker.PublishToAsync(
                step,
                new OrderAccepted(order.Id, order.Premium, DateTimeOffset.UtcNow),
                new ByHand { Id = message, CorrelationId = order.Id }
            );
        await TestSystem.UntilAsync(order.Id, "email", StepStatus.Uncertain);
    }

    private async Task TheMailServerIsAwayForAWhileAsync()
    {
        await BehaveAsync(new { smtp = new { mode = "tempfail" } });
        await PostAsync(_host, _shoppers.Next(OrdersOfTheOutage));
        _camera.Failures = await FailedAsync();
        await TakeExtraAsync(
            "/",
            "overview-outage",
            page =>
                Assertions
                    .Expect(page.Locator("#attention"))
                    .ToContainTextAsync("next attempt", new() { Timeout = 120_000 })
        );
        await TakeAsync(
            "/queues/{name}",
            "/queues/email",
            page =>
                Assertions.Expect(page.Locator("#waiting tbody")).ToContainTextAsync("451", new() { Timeout = 120_000 })
        );
        await Eventually.That(
            () =>
                TestSystem.Database.CountAsync(
                    "alerts where rule = 'waiting-retries' and subject = 'email' and fired_at is not null"
                ),
            Is.Positive,
            "alerts of messages that wait",
            Patience
        );
        await BehaveAsync(new { smtp = new { mode = "ok" } });
        await UntilSettledAsync();
    }

    // From here on nothing more fails, and the figures of failures are the same in every picture.
    private async Task CustomersComeAsync()
    {
        await BehaveAsync(new { warehouse = new { mode = "slow", delayMs = 1200 } });
        using var closing = new CancellationTokenSource();
        var customers = KeepPostingAsync(closing.Token);
        // The charts show two minutes, and what waited is over.
        var from = await TestSystem.Database.CountAsync("orders");
        await Eventually.That(
            () => TestSystem.Database.CountAsync("orders"),
            Is.GreaterThan(from + 200),
            "orders of a good minute",
            Patience
        );
        await Eventually.That(
            () => TestSystem.Database.CountAsync("alerts where rule = 'waiting-retries' and resolved_at is null"),
            Is.Zero,
            "alerts of messages that waited",
            Patience
        );
        await TakeAsync("/", "/");
        await TakeAsync("/queues", "/queues");
        await TakeAsync("/flow", "/flow");
        await TakeAsync("/workers", "/workers", RunsSomethingAsync);
        await TakeAsync(
            "/workers/{id:guid}",
            $"/workers/{await IdAsync("select id from workers order by jsonb_array_length(runs) desc, id limit 1")}",
            RunsSomethingAsync
        );
        await TakeAsync("/orders", "/orders");
        await TakeAsync("/metrics-view", "/metrics-view?span=14d");
        await closing.CancelAsync();
        await customers;
        await UntilSettledAsync();
    }

    private async Task AnOperatorLooksAsync(Guid order)
    {
        await TakeAsync("/orders/{id:guid}", $"/orders/{order}");
        await TakeAsync("/failures", "/failures");
        await TakeAsync("/failures/{id:guid}", $"/failures/{await FailureOfAsync(order)}");
        var others = await TestSystem.Database.RowsAsync(
            $"select f.id from failures f join orders o on o.id = f.subject_id where f.step = 'email' and f.state = {FailureState.Failed:D} and fault_message like '%550%' order by o.number limit 2"
        );
        await TakeAsync("/failures/compare", $"/failures/compare?ids={string.Join(',', others.Select(row => row[0]))}");
        await TakeAsync("/effects", "/effects");
    }

    private async Task TheRefusedMailsAreRedrivenAsync(Guid order)
    {
        var group = await TestSystem.Database.ScalarAsync<string>(
            "select fingerprint from failures where id = $1",
            await FailureOfAsync(order)
        );
        await TakeAsync("/redrives/new", $"/redrives/new?group={group}");
        var desk = _camera.Desk;
        await desk.GetByLabel("Then, a second").FillAsync("1");
        await desk.GetByLabel("Reason").First.FillAsync("The mail server takes these addresses again.");
        await desk.GetByRole(AriaRole.Button, new() { NameRegex = new("^Redrive [0-9]+ messages$") }).ClickAsync();
        await desk.WaitForURLAsync(new System.Text.RegularExpressions.Regex("/redrives/[0-9a-f-]{36}$"));
        var redrive = new Uri(desk.Url).AbsolutePath;
        _camera.Failures = null;
        await TakeAsync(
            "/redrives/{id:guid}",
            redrive,
            page =>
                Assertions
                    .Expect(page.Locator("[aria-current=step]"))
                    .ToContainTextAsync("Ramp", new() { Timeout = 60_000 })
        );
        await Eventually.That(
            () => TestSystem.Database.CountAsync($"redrives where stage = {RedriveStage.Done:D}"),
            Is.EqualTo(1),
            "redrives done",
            Patience
        );
        await UntilSettledAsync();
        _camera.Failures = await FailedAsync();
        await TakeAsync("/redrives", "/redrives");
    }

    // What the warehouse refused is settled without it; a second rehearsal is still open.
    private async Task WhatTheWarehouseRefusedIsArchivedAsync()
    {
        var archive = await RehearsedAsync(
            new { kind = ArchiveFailures.KindName, filter = new { step = "warehouse" } }
        );
        await TakeAsync("/bulk-actions/{id:guid}", $"/bulk-actions/{archive}");
        _camera.Failures = null;
        await OkAsync(
            $"/api/bulk-actions/{archive}/confirm",
            OperatorsKey,
            new { expect = RefusedByTheWarehouse, reason = "Settled with the warehouse by telephone." }
        );
        await Eventually.That(
            () => TestSystem.Database.CountAsync($"bulk_actions where state = {BulkState.Finished:D}"),
            Is.EqualTo(1),
            "bulk actions finished",
            Patience
        );
        _camera.Failures = await FailedAsync();
        await RehearsedAsync(
            new
            {
                kind = CancelOrders.KindName,
                filter = new { status = OrderStatus.Accepted.ToString(), client = "marketplace" },
            }
        );
        await TakeAsync("/bulk-actions", "/bulk-actions");
    }

    private async Task<Guid> RehearsedAsync(object request)
    {
        var answer = await PostAsync("/api/bulk-actions", OperatorsKey, request);
        Assert.That(answer.Status, Is.EqualTo(201), $"{answer}");
        return answer.Body["id"]!.GetValue<Guid>();
    }

    private async Task TheRestAsync()
    {
        await TakeAsync("/outbox", "/outbox?part=Delayed");
        var schedule = await SampleSchedules.OfAsync(TestSystem.Database);
        await TakeAsync("/schedules", "/schedules");
        await TakeAsync("/schedules/{name}", $"/schedules/{schedule}");
        await TakeAsync("/schedules/new", $"/schedules/new?kind={SampleSchedules.Kind}");
        await TakeAsync("/alerts", "/alerts");
        await TakeAsync("/audit", "/audit");
        await TakeAsync("/operators", "/operators");
        await TakeAsync("/keys", "/keys");
        await TakeAsync("/password", "/password");
        await TakeAsync("/login", "/login");
        var customer = await TestSystem.Database.ScalarAsync<string>(
            $"select o.customer_email from orders o join order_progress p on p.order_id = o.id where p.status = {OrderStatus.Completed:D} order by o.number limit 1"
        );
        await OkAsync("/api/erasures", AdminKey, new { customer, reason = "Asked for by letter." });
        await Eventually.That(
            () => TestSystem.Database.CountAsync("erasures where finished_at is not null"),
            Is.EqualTo(1),
            "erasures finished",
            Patience
        );
        await TakeAsync("/erasures", "/erasures");
    }

    private Task TakeAsync(string route, string path, Func<IPage, Task>? ready = null) =>
        TakeExtraAsync(path, DashboardPages.PictureOf(route), ready);

    private async Task TakeExtraAsync(string path, string picture, Func<IPage, Task>? ready)
    {
        await _camera.TakeAsync(path, picture, ready);
        _taken.Add(picture);
    }

    private static Task RunsSomethingAsync(IPage page) =>
        Assertions
            .Expect(
                page.GetByRole(AriaRole.Heading, new() { Name = "Running now" })
                    .Locator("xpath=ancestor::section")
                    .Locator("tbody tr")
                    .First
            )
            .ToBeVisibleAsync(new() { Timeout = 60_000 });

    private Task<long> FailedAsync() =>
        TestSystem.Database.CountAsync($"failures where state = {FailureState.Failed:D}");

    // Each order has come to its end, and the index knows each dead letter.
    private async Task UntilSettledAsync() =>
        await Eventually.That(
            async () =>
                (
                    await TestSystem.Database.CountAsync(
                        $"order_progress p join orders o on o.id = p.order_id where p.status in ({OrderStatus.Accepted:D}, {OrderStatus.Processing:D}) and (o.release_at is null or o.release_at < now())"
                    ),
                    await TestSystem.Database.ScalarAsync<long>(
                        "select coalesce(sum(bit_count(failed::bit(32))), 0) from order_progress"
                    ) - await FailedAsync()
                ),
            Is.EqualTo((0L, 0L)),
            "orders under way, and dead letters that are not in the index",
            Patience
        );

    private async Task KeepPostingAsync(CancellationToken until)
    {
        while (!until.IsCancellationRequested)
        {
            var orders = _shoppers.Next(5);
            await PostAsync(_host, orders);
            await Eventually.That(
                () =>
                    TestSystem.Database.CountAsync(
                        "orders where id = $1 and created_at > now() - interval '1 second'",
                        orders[^1].Id
                    ),
                Is.Zero,
                "a pause"
            );
        }
    }

    private async Task OkAsync(string path, string key, object body)
    {
        var answer = await PostAsync(path, key, body);
        Assert.That(answer.Status, Is.InRange(200, 299), $"{path}: {answer}");
    }

    private Task<Guid> FailureOfAsync(Guid order) => IdAsync("select id from failures where subject_id = $1", order);

    private async Task<Guid> IdAsync(string sql, params object[] arguments) =>
        (Guid)(await TestSystem.Database.RowsAsync(sql, arguments))[0][0]!;
}
