using Microsoft.Playwright;
using Orders.Dashboard.Tests.Routes;
using Orders.Testing.Servers;
using QueueWorkers.Operators;

namespace Orders.Dashboard.Tests.Pages;

/// <summary>
/// Every page in every state: the right words, nothing thrown, nothing that axe finds in light or dark.
/// </summary>
internal sealed class AllPagesTests : BrowserFixture
{
    private const int Orders = 400;

    // A word that is broken although there is no long one in it: its place is too narrow for what it says.
    private const string Squeezed = """
        [...document.querySelectorAll('main h1, main h2, main th, main dt, main button, main .pill, main .button, main label, main summary')]
            .filter(e => e.checkVisibility() && e.childElementCount === 0 && e.textContent.trim())
            .filter(e => {
                const words = document.createRange();
                for (const word of e.firstChild.data?.matchAll(/[\p{L}]{2,16}/gu) ?? []) {
                    words.setStart(e.firstChild, word.index);
                    words.setEnd(e.firstChild, word.index + word[0].length);
                    if (words.getClientRects().length > 1) return true;
                }
                return false;
            }).map(e => e.textContent.trim())
        """;

    // A long text of a table that is cut off at the edge of what one sees, or that has a few letters a line. Two
    // failures stand beside each other on purpose.
    private const string Hidden = """
        [...document.querySelectorAll('main .scroll :is(td, tbody th)')]
            .filter(e => e.checkVisibility() && e.textContent.trim().length > 50 && !e.closest('.compare') && !e.querySelector('form, svg'))
            .filter(e => {
                const text = document.createRange(), seen = e.closest('.scroll').getBoundingClientRect();
                text.selectNodeContents(e);
                const box = text.getBoundingClientRect();
                return box.right > seen.right + 1 || box.width < 150;
            }).map(e => e.textContent.trim().slice(0, 60))
        """;

    private TcpProxy _management = null!;

    // All that need nothing in their address, read from the routes.
    private string[] Lists => PageRoutes.Plain(Dashboard);

    protected override IEnumerable<(string Name, string? Value)> Settings
    {
        get
        {
            _management ??= new TcpProxy(
                TestSystem.Broker.Options.ManagementUri!.Host,
                TestSystem.Broker.Options.ManagementUri.Port
            );
            return
            [
                ("RabbitMq:ManagementUri", $"http://127.0.0.1:{_management.Port}"),
                ("Outbox:Relay", "false"),
                ("Failures:Index", "false"),
                ("Redrive:Run", "false"),
            ];
        }
    }

    [OneTimeTearDown]
    public async Task CloseProxyAsync() => await _management.DisposeAsync();

    // Whether something has been wrong for long enough is another fixture's business.
    [OneTimeSetUp]
    public Task KeepAlertsQuietAsync() => TestSystem.Database.ExecuteAsync("update alert_rules set enabled = false");

    [Test, Order(1)]
    public async Task Empty()
    {
        await using var viewer = await OpenAsync();
        await EachAsync(viewer, Lists);
        await SaysAsync(viewer, "/", "Nothing needs attention", orElse: "No workers");
        await SaysAsync(viewer, "/orders", "No orders yet");
        await SaysAsync(viewer, "/outbox", "Nothing is late");
        await SaysAsync(viewer, "/outbox?part=Quarantine", "No message is quarantined");
        await SaysAsync(viewer, "/alerts", "No alert has fired");
        await SaysAsync(viewer, "/failures", "no message is dead-lettered");
        await SaysAsync(viewer, "/redrives", "Nothing was redriven yet");
        await SaysAsync(viewer, "/bulk-actions", "No bulk action yet");
        await SaysAsync(viewer, "/effects", "Nothing is uncertain");
        await SaysAsync(viewer, "/workers", "No worker has reported itself");
        await SaysAsync(viewer, "/redrives/new", "Redrive what?");
        await SaysAsync(viewer, "/redrives/new?step=nothing", "Nothing that is dead-lettered matches");
        await SaysAsync(viewer, $"/failures/{Guid.Empty}", "No such failure");
        await SaysAsync(viewer, $"/redrives/{Guid.Empty}", "No such redrive");
        await SaysAsync(viewer, $"/bulk-actions/{Guid.Empty}", "No such bulk action");
        await SaysAsync(viewer, "/nowhere", "No such page");
        await SaysAsync(viewer, $"/orders/{Guid.Empty}", "No such order");
        await SaysAsync(viewer, "/queues/nothing", "No such queue");
        await SaysAsync(viewer, $"/workers/{Guid.Empty}", "No such worker");
    }

    [Test, Order(2)]
    public async Task Full()
    {
        await SampleData.OrdersAsync(TestSystem.Database, Orders);
        await SampleData.RestAsync(TestSystem.Database);
        await SampleData.FailuresAsync(TestSystem.Database, 120);
        var deadLettered = await SampleData.FailedOrderAsync(TestSystem.Database);
        var (failure, redrive) = await SampleData.FailureAsync(TestSystem.Database);
        var patched =
            $"/redrives/new?ids={failure}&patch={Uri.EscapeDataString("""[{"op":"remove","path":"/note"},{"op":"replace","path":"/premium","value":true}]""")}";
        string[] pages =
        [
            .. (await PageRoutes.FilledAsync(Dashboard, TestSystem.Database)).Select(page => page.Address),
            "/failures?group=group1",
            "/failures?state=Archived",
            "/redrives/new?group=group1",
            patched,
            $"/workers/{await SampleData.WorkerAsync(TestSystem.Database, "worker-4")}",
            "/outbox?part=Delayed",
            "/outbox?part=Quarantine",
            "/orders?status=NeedsAttention",
            "/metrics-view?span=14d",
        ];
        await using (var viewer = await OpenAsync())
        {
            await EachAsync(viewer, pages);
            await SaysAsync(viewer, $"/orders/{deadLettered}", "waits for an operator");
            await SaysAsync(viewer, patched, "would change");
            await SaysAsync(viewer, $"/failures/{failure}", "••••••");
            await SaysAsync(
                viewer,
                $"/workers/{await SampleData.WorkerAsync(TestSystem.Database, "worker-5")}",
                "takes nothing more and has nothing left"
            );
            await DeploymentsAreMarkedAsync(viewer.Page);
            foreach (
                var path in (string[])
                    ["/failures", $"/failures/{failure}", $"/redrives/{redrive}", $"/orders/{deadLettered}"]
            )
            {
                await viewer.Page.GotoAsync(path);
                Assert.That(await viewer.Page.GetByText(SampleData.Hostile).CountAsync(), Is.Positive, path);
                Assert.That(
                    await viewer.Page.EvaluateAsync<object?>("window.hostile"),
                    Is.Null,
                    $"{path}: what a client wrote must stay a text"
                );
            }
        }

        // Without a choice of its own a page follows the system; the other tests choose.
        await using var night = await OpenAsync(scheme: ColorScheme.Dark);
        await night.Page.GotoAsync("/");
        Assert.That(
            await night.Page.EvaluateAsync<string>("getComputedStyle(document.documentElement).colorScheme"),
            Is.EqualTo("dark")
        );
    }

    [Test, Order(3)]
    public async Task Filtered_to_nothing()
    {
        await using var viewer = await OpenAsync();
        await SaysAsync(viewer, "/orders?status=Cancelled", "No order matches the filter");
        await viewer.Page.GetByRole(AriaRole.Link, new() { Name = "Clear the filter" }).First.ClickAsync();
        await Assertions.Expect(viewer.Page.Locator("tbody tr").First).ToBeVisibleAsync();
        await SaysAsync(viewer, "/orders?q=O-99999999", "No order matches the filter");
        await SaysAsync(viewer, "/failures?fault=NoSuchException", "No failure matches the filter");
        await viewer.Page.GetByRole(AriaRole.Link, new() { Name = "Clear the filter" }).First.ClickAsync();
        await Assertions.Expect(viewer.Page.Locator("tbody tr").First).ToBeVisibleAsync();
        await SaysAsync(viewer, "/failures?text=ab", "text must have at least 3 characters");
        foreach (
            var path in (string[])
                ["/orders?status=Cancelled", "/failures?fault=NoSuchException", "/redrives/new?fault=NoSuchException"]
        )
        {
            await viewer.Page.GotoAsync(path);
            Assert.That(await Browsing.AxeAsync(viewer.Page), Is.Empty);
        }
    }

    [Test, Order(4)]
    public async Task With_the_role_of_a_viewer()
    {
        var deadLettered = await SampleData.FailedOrderAsync(TestSystem.Database);
        var (failure, redrive) = await SampleData.FailureAsync(TestSystem.Database);
        await using var viewer = await OpenAsync("vera");
        await EachAsync(
            viewer,
            (await PageRoutes.FilledAsync(Dashboard, TestSystem.Database))
                .Where(page => page.Route.Needs == OperatorRole.Viewer)
                .Select(page => page.Address)
        );
        foreach (
            var (path, button) in ((string, string)[])
                [($"/redrives/new?ids={failure}", "Redrive 1 message"), ($"/redrives/{redrive}", "Stop this redrive")]
        )
        {
            await SaysAsync(viewer, path, "Needs the role operator.");
            await Assertions
                .Expect(
                    viewer
                        .Page.GetByRole(AriaRole.Button, new() { Name = button })
                        .Or(viewer.Page.GetByRole(AriaRole.Button, new() { Name = "Go on with this redrive" }))
                )
                .ToBeDisabledAsync();
        }

        await SaysAsync(viewer, $"/failures/{failure}", "Needs the role admin.");
        await SaysAsync(
            viewer,
            $"/workers/{await SampleData.WorkerAsync(TestSystem.Database, "worker-1")}",
            "Needs the role operator."
        );
        await viewer.Page.GotoAsync("/workers");
        await viewer.Page.GetByText("Pause, resume, limit").First.ClickAsync();
        await Assertions.Expect(viewer.Page.GetByText("Needs the role operator.").First).ToBeVisibleAsync();
        await SaysAsync(viewer, $"/orders/{deadLettered}", "Needs the role admin.");
        await Assertions
            .Expect(viewer.Page.GetByRole(AriaRole.Button, new() { Name = "Reveal personal data" }))
            .ToBeDisabledAsync();
        await SaysAsync(viewer, "/alerts", "Needs the role operator.");
    }

    [Test, Order(5)]
    public async Task With_personal_data_masked_until_somebody_says_why()
    {
        var deadLettered = await SampleData.FailedOrderAsync(TestSystem.Database);
        await using var viewer = await OpenAsync();
        await viewer.Page.GotoAsync($"/orders/{deadLettered}");
        Assert.That(await viewer.Page.ContentAsync(), Does.Not.Contain("zoe@example.com"));
        await viewer.Page.GetByPlaceholder("Why you need to see them").FillAsync("the customer called");
        await viewer.Page.GetByRole(AriaRole.Button, new() { Name = "Reveal personal data" }).ClickAsync();
        await Assertions.Expect(viewer.Page.GetByText("zoe@example.com")).ToBeVisibleAsync();
        Assert.That(
            await TestSystem.Database.CountAsync(
                "audit where action = 'reveal personal data' and target = $1 and reason = 'the customer called' and who = 'anna'",
                $"order {deadLettered}"
            ),
            Is.EqualTo(1)
        );
    }

    [Test, Order(6)]
    public async Task On_a_phone()
    {
        await using var viewer = await OpenAsync(width: 390, height: 844);
        foreach (var (_, path) in await PageRoutes.FilledAsync(Dashboard, TestSystem.Database))
        {
            await viewer.Page.GotoAsync(path);
            Assert.That(
                await viewer.Page.EvaluateAsync<int>("document.documentElement.scrollWidth"),
                Is.LessThanOrEqualTo(390),
                $"{path} must not scroll sideways"
            );
            Assert.That(await viewer.Page.EvaluateAsync<string[]>(Squeezed), Is.Empty, $"{path}: words torn apart");
            Assert.That(await viewer.Page.EvaluateAsync<string[]>(Hidden), Is.Empty, $"{path}: texts out of sight");
        }
    }

    [Test, Order(7)]
    public async Task By_keyboard()
    {
        await using var viewer = await OpenAsync();
        var page = viewer.Page;
        await Browsing.UntilAsync(page, "() => document.hasFocus()");
        await Browsing.PressPairAsync(page, 'g', 'r');
        await page.WaitForURLAsync("**/orders");
        await page.Keyboard.PressAsync("j");
        await page.Keyboard.PressAsync("j");
        await Assertions.Expect(page.Locator("tbody tr").Nth(1)).ToHaveClassAsync("at");
        await page.Keyboard.PressAsync("k");
        await Assertions.Expect(page.Locator("tbody tr").First).ToHaveClassAsync("at");
        await page.Keyboard.PressAsync("Enter");
        await page.WaitForURLAsync("**/orders/*");
        await page.Keyboard.PressAsync("/");
        await page.Keyboard.TypeAsync("O-00000007");
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(page.Locator("h1")).ToHaveTextAsync("O-00000007");
        await page.Keyboard.PressAsync("?");
        await Assertions.Expect(page.Locator("#keys")).ToBeVisibleAsync();
    }

    [Test, Order(8)]
    public async Task As_a_spreadsheet_that_computes_nothing()
    {
        await using var viewer = await OpenAsync();
        foreach (
            var path in (string[])
                [
                    "/orders.csv",
                    "/failures.csv?group=group1",
                    "/redrives.csv",
                    "/bulk-actions.csv",
                    "/effects.csv",
                    "/workers.csv",
                    "/workers/running.csv",
                    "/queues.csv",
                    "/outbox.csv?part=Quarantine",
                    "/schedules.csv",
                    "/metrics-view.csv",
                    "/alerts.csv",
                    "/audit.csv",
                ]
        )
        {
            var answer = await viewer.Page.APIRequest.GetAsync(path);
            Assert.That(answer.Status, Is.EqualTo(200), path);
            Assert.That(answer.Headers["content-type"], Is.EqualTo("text/csv; charset=utf-8"), path);
        }
    }

    [Test, Order(20)]
    public async Task With_the_broker_down()
    {
        await using var viewer = await OpenAsync();
        await viewer.Page.GotoAsync("/queues");
        var workers = await viewer.Page.Locator("tbody tr").CountAsync();
        Assert.That(workers, Is.Positive);
        _management.Cut();
        try
        {
            await Assertions.Expect(viewer.Page.Locator("#broker")).ToBeVisibleAsync();
            Assert.That(
                await viewer.Page.Locator("tbody tr").CountAsync(),
                Is.EqualTo(workers),
                "the last figures stay"
            );
            await EachAsync(viewer, Lists);
            await SaysAsync(viewer, "/orders", "O-00000001", orElse: "Needs attention");
            await SaysAsync(viewer, "/queues", "RabbitMQ does not answer.");
        }
        finally
        {
            _management.Restore();
        }

        await Assertions.Expect(viewer.Page.Locator("#broker")).ToBeHiddenAsync();
    }

    [Test, Order(21)]
    public async Task With_a_database_that_is_slow()
    {
        // Each page waits until the operator's patience is used up: four browsers wait at the same time.
        // Two are made of what is in memory, and two of what a session is read from.
        string[] slow = [.. Lists.Except(["/", "/queues", "/operators", "/password"])];
        await using var first = await OpenAsync();
        await using var second = await OpenAsync();
        await using var third = await OpenAsync();
        await using var fourth = await OpenAsync();
        Viewer[] viewers = [first, second, third, fourth];
        await using var locked = await TestSystem.Database.Source.OpenConnectionAsync();
        await using var transaction = await locked.BeginTransactionAsync();
        await using (var command = locked.CreateCommand())
        {
            // A busy machine takes longer for all pages than an idle transaction may last.
            command.CommandText = """
                set local idle_in_transaction_session_timeout = 0;
                lock table orders, effects, failures, redrives, workers, outbox, step_history, alerts, audit, schedules,
                    subscriptions, erasures, api_keys, bulk_actions
                    in access exclusive mode
                """;
            await command.ExecuteNonQueryAsync();
        }

        await Task.WhenAll(viewers.Select((viewer, n) => AreFaultyAsync(viewer, slow.Where((_, at) => at % 4 == n))));

        await SaysAsync(first, "/queues", "Queues");
        await transaction.RollbackAsync();
        await first.Page.GotoAsync("/orders");
        await Assertions.Expect(first.Page.Locator("tbody tr").First).ToBeVisibleAsync();
    }

    private static async Task AreFaultyAsync(Viewer viewer, IEnumerable<string> paths)
    {
        foreach (var path in paths)
        {
            await SaysAsync(viewer, path, "The rest of the page is right.");
            Assert.That(
                await viewer.Page.Locator(".fault small").First.TextContentAsync(),
                Does.Match("^Trace [0-9a-f]{32}$"),
                path
            );
            Assert.That(await Browsing.AxeAsync(viewer.Page), Is.Empty);
        }
    }

    // A thin line with the build in its title, in every chart; and the same in the charts' names and in the table.
    private static async Task DeploymentsAreMarkedAsync(IPage page)
    {
        await page.GotoAsync("/metrics-view?span=6h");
        await Assertions.Expect(page.Locator(".plot").First.Locator(".mark")).ToHaveCountAsync(3);
        Assert.That(
            await page.Locator(".plot").First.Locator(".mark").First.GetAttributeAsync("title"),
            Does.Match(@"^1\.3\.0 at .*\d\d:\d\d:\d\d: .*hurried")
        );
        Assert.That(
            await page.Locator(".plot").First.GetAttributeAsync("aria-label"),
            Does.Contain("Deployments: 1.3.0 at ")
        );
        await page.GetByText("The same as a table").ClickAsync();
        await Assertions
            .Expect(
                page.GetByRole(AriaRole.Region, new() { Name = "Figures" }).GetByText("1.1.0", new() { Exact = true })
            )
            .ToBeVisibleAsync();
    }

    private static async Task EachAsync(Viewer viewer, IEnumerable<string> paths)
    {
        foreach (var path in paths)
        {
            var answer = await viewer.Page.GotoAsync(path);
            Assert.That(answer!.Status, Is.EqualTo(200), path);
            await Assertions.Expect(viewer.Page.Locator("h1")).ToBeVisibleAsync();
            Assert.That(await Browsing.AxeAsync(viewer.Page), Is.Empty);
        }
    }

    private static async Task SaysAsync(Viewer viewer, string path, string words, string? orElse = null)
    {
        await viewer.Page.GotoAsync(path);
        var text = await viewer.Page.Locator("main").InnerTextAsync();
        Assert.That(text, orElse is null ? Does.Contain(words) : Does.Contain(words).Or.Contain(orElse), path);
    }
}
