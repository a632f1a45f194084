using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Playwright;
using Orders.Testing.Zoo;
using QueueWorkers.Steps;

namespace Orders.Dashboard.Tests.Pages;

/// <summary>
/// What a worker is running is on the page of the workers, with the order it is for; there it is drained, says so when
/// it is, and is given back.
/// </summary>
internal sealed class WorkerPageTests : BrowserFixture
{
    private static readonly LocatorAssertionsToContainTextOptions Soon = new() { Timeout = 60_000 };

    [Test]
    public async Task Are_seen_drained_and_given_back()
    {
        var release = new TaskCompletionSource();
        var script = new StepScript { Otherwise = (_, _) => release.Task };
        // The run is held while a browser is at work: for longer, on a busy machine, than its time limit.
        var time = new FasterTime(0.1);
        await using var host = await TestSystem.StartAsync(
            [.. TestSystem.Catalogue.Choose("hurried").Select(script.In)],
            services => services.Replace(ServiceDescriptor.Singleton<TimeProvider>(time))
        );
        var order = await TestSystem.StoreAsync();
        var number =
            $"O-{await TestSystem.Database.ScalarAsync<long>("select number from orders where id = $1", order):D8}";
        await TestSystem.Broker.PublishToAsync("hurried", new Feed(order));
        await Eventually.That(() => script.RunsOf(order), Is.EqualTo(1), "runs begun");
        time.Factor = 1;

        await using var viewer = await OpenAsync("otto");
        var page = viewer.Page;
        await page.GotoAsync("/workers");
        var running = page.GetByRole(AriaRole.Region, new() { Name = "Running now" });
        await Assertions.Expect(running).ToContainTextAsync(number, Soon);
        await Assertions.Expect(running.Locator("tbody tr").First).ToContainTextAsync("hurried");
        await Assertions
            .Expect(running.GetByRole(AriaRole.Link, new() { Name = number }))
            .ToHaveAttributeAsync("href", $"/orders/{order}");

        await page.GetByRole(AriaRole.Region, new() { Name = "Processes" }).GetByRole(AriaRole.Link).First.ClickAsync();
        await page.GetByPlaceholder("Why it is to run dry").FillAsync("the machine is to be fixed");
        await page.GetByRole(AriaRole.Button, new() { Name = "Drain" }).ClickAsync();
        await Assertions.Expect(page.Locator("#worker .pill").First).ToContainTextAsync("Draining");
        await Assertions.Expect(page.Locator("#worker .says")).ToContainTextAsync("otto asked for it");
        Assert.That(
            await TestSystem.StatusAsync(order, "hurried"),
            Is.Not.EqualTo(StepStatus.Done),
            "what it runs is not cut off"
        );

        // What is typed stays while the figures beside it change.
        await page.GetByPlaceholder("Why it may work again").FillAsync("it is fixed");
        release.SetResult();
        await Assertions.Expect(page.Locator("#worker .pill").First).ToContainTextAsync("Drained", Soon);
        await Assertions.Expect(page.Locator("#worker")).ToContainTextAsync("Nothing is running.");
        Assert.That(await TestSystem.StatusAsync(order, "hurried"), Is.EqualTo(StepStatus.Done), "it came to its end");
        await using (var second = await OpenAsync("vera"))
            await Assertions
                .Expect(second.Page.Locator("#attention"))
                .ToContainTextAsync("the machine is to be fixed", Soon);

        var other = Guid.NewGuid();
        await TestSystem.Broker.PublishToAsync("hurried", new Feed(other));
        await Eventually.That(
            () => TestSystem.Broker.CountAsync("hurried"),
            Is.EqualTo(1u),
            "a message that waits, for nobody takes it"
        );

        await page.GetByRole(AriaRole.Button, new() { Name = "back", Exact = false }).ClickAsync();
        await Assertions.Expect(page.Locator("#worker .pill").First).ToContainTextAsync("Running", Soon);
        await TestSystem.UntilAsync(other, "hurried", StepStatus.Done);
        Assert.That(
            await TestSystem.Database.RowsAsync(
                "select who, action, reason from audit where action like '%drain-worker' order by id"
            ),
            Is.EqualTo(
                new object?[][]
                {
                    ["otto", "drain-worker", "the machine is to be fixed"],
                    ["otto", "undrain-worker", "it is fixed"],
                }
            )
        );
    }
}
