using Microsoft.Playwright;
using Orders.Dashboard.Tests.Pages;

namespace Orders.Dashboard.Tests.Waiting;

/// <summary>The list of what waits for a step, below the figures that count it.</summary>
internal sealed class WaitingPageTests : BrowserFixture
{
    private const string List = "#waiting";

    protected override IEnumerable<(string Name, string? Value)> Settings => [("Outbox:Relay", "false")];

    [Test]
    public async Task The_list_is_fetched_with_the_figures_that_it_explains()
    {
        await using var viewer = await OpenAsync();
        var page = viewer.Page;
        var step = await TestSystem.Database.ScalarAsync<string>("select step from step_catalogue where bit = 1");
        // By the clock not for hours, from the beginning.
        await page.RouteAsync(
            $"**/queues/{step}",
            async route =>
            {
                var answer = await route.FetchAsync();
                var text = await answer.TextAsync();
                await route.FulfillAsync(
                    new()
                    {
                        Response = answer,
                        Body = text.Replace("data-every=\"5\"", "data-every=\"36000\"", StringComparison.Ordinal),
                    }
                );
            }
        );
        await page.GotoAsync($"/queues/{step}");
        await Assertions.Expect(page.Locator(List)).ToHaveAttributeAsync("data-every", "36000");
        await Assertions.Expect(page.Locator(List)).ToContainTextAsync("No message waits for its next attempt");

        await SampleData.WaitingAsync(TestSystem.Database);
        await Assertions
            .Expect(page.Locator($"[data-live='q:{step}:retry']"))
            .ToHaveTextAsync("1", new() { Timeout = 60_000 });
        await Assertions.Expect(page.Locator($"{List} tbody tr")).ToHaveCountAsync(2, new() { Timeout = 60_000 });
        await Assertions.Expect(page.Locator($"[data-live='q:{step}:deferred']")).ToHaveTextAsync("1");
        await Assertions.Expect(page.Locator(List)).ToContainTextAsync("Deferred: breaker");
    }
}
