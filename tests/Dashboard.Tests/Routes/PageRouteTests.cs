using Microsoft.Playwright;
using Orders.Dashboard.Layout;
using Orders.Dashboard.Tests.Pages;

namespace Orders.Dashboard.Tests.Routes;

/// <summary>What holds for each page because it is a page, whoever adds one.</summary>
internal sealed class PageRouteTests : BrowserFixture
{
    // What can be reached by keyboard, in the order of the page. A closed detail hides what is in it.
    private const string Reachable = """
        () => [...document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex]')]
            .filter(e => !e.disabled && e.tabIndex >= 0 && e.checkVisibility({ visibilityProperty: true }))
        """;

    private const int MostStops = 250;

    protected override IEnumerable<(string Name, string? Value)> Settings =>
        [("Outbox:Relay", "false"), ("Failures:Index", "false"), ("Redrive:Run", "false")];

    [OneTimeSetUp]
    public async Task FillAsync()
    {
        await SampleData.OrdersAsync(TestSystem.Database, 30);
        await SampleData.RestAsync(TestSystem.Database);
        await SampleData.FailuresAsync(TestSystem.Database, 12);
    }

    [Test]
    public async Task A_route_that_is_no_page_is_one_that_the_list_of_pages_leaves_out()
    {
        var routes = PageRoutes.Of(Dashboard);
        Assert.That(
            DashboardPages.Others.Except(routes.Select(r => r.Path)).Where(path => path != "/login/oidc"),
            Is.Empty,
            $"routes in {nameof(DashboardPages)} that are gone"
        );
        await using var viewer = await OpenAsync();
        foreach (
            var route in routes.Where(r =>
                r is { Method: "GET", Needs: not null } && !r.Path.StartsWith("/{", StringComparison.Ordinal)
            )
        )
        {
            // An open stream never ends.
            if (route.Path == "/live")
                continue;
            var address = await PageRoutes.AddressAsync(route.Path, TestSystem.Database);
            var answer = await viewer.Page.APIRequest.GetAsync(address, new() { MaxRedirects = 0 });
            Assert.That(answer.Status, Is.LessThan(400), address);
            Assert.That(
                (await answer.TextAsync()).Contains("<!DOCTYPE html>", StringComparison.OrdinalIgnoreCase),
                Is.EqualTo(route.IsPage),
                $"{address}: whether it is a whole page; a part of one is named in {nameof(DashboardPages)}"
            );
        }
    }

    [Test]
    public async Task Each_page_of_the_navigation_is_reached_by_its_keys()
    {
        await using var viewer = await OpenAsync();
        var (asked, wanted) = (false, "");
        viewer.Page.Request += (_, request) => asked |= new Uri(request.Url).AbsolutePath == wanted;
        foreach (var place in Places.All)
        {
            await viewer.Page.GotoAsync(place.Href == "/" ? "/password" : "/");
            await Browsing.UntilAsync(viewer.Page, "() => document.hasFocus()");
            // Two keys are a pair when they come within 1.2 s. On a busy machine they may not, and are typed again.
            (asked, wanted) = (false, place.Href);
            await Eventually.Is(
                async () =>
                {
                    await viewer.Page.Keyboard.TypeAsync($"g{place.Key}");
                    return asked;
                },
                $"g {place.Key} asks for {place.Href}",
                TimeSpan.FromMinutes(1)
            );
            await viewer.Page.WaitForURLAsync($"**{place.Href}", new() { Timeout = 60_000 });
            await Assertions.Expect(viewer.Page.Locator(".side [aria-current]")).ToContainTextAsync(place.Name);
        }
    }

    [Test]
    public async Task Each_page_is_walked_through_by_tab_and_shows_where_one_is()
    {
        await using var viewer = await OpenAsync();
        var page = viewer.Page;
        foreach (var (_, address) in await PageRoutes.FilledAsync(Dashboard, TestSystem.Database))
        {
            await page.GotoAsync(address);
            // Nothing may move the focus, or add a row, while it is walked.
            await page.Locator("#pause").ClickAsync();
            await page.EvaluateAsync(
                $$"""
                () => {
                    window.stops = ({{Reachable}})();
                    window.seen = new Set();
                    window.dim = [];
                    document.activeElement?.blur();
                    document.addEventListener('focusin', e => {
                        seen.add(e.target);
                        const s = getComputedStyle(e.target);
                        if (s.outlineStyle === 'none' || s.outlineWidth === '0px') dim.push(e.target.outerHTML.slice(0, 120));
                    });
                }
                """
            );
            var stops = await page.EvaluateAsync<int>("stops.length");
            Assert.That(stops, Is.InRange(5, MostStops), $"{address}: places for the keyboard");
            await page.EvaluateAsync("document.querySelector('.skip').focus({ focusVisible: true })");
            for (var i = 0; i < stops + 3; i++)
                await page.Keyboard.PressAsync("Tab");
            Assert.That(
                await page.EvaluateAsync<string[]>(
                    "stops.filter(e => !seen.has(e)).map(e => e.outerHTML.slice(0, 120))"
                ),
                Is.Empty,
                $"{address}: what Tab does not reach"
            );
            Assert.That(await page.EvaluateAsync<string[]>("dim"), Is.Empty, $"{address}: focus that is not seen");
        }
    }

    [Test]
    public async Task The_row_of_pages_on_a_phone_shows_the_page_that_is_open()
    {
        await using var viewer = await OpenAsync(width: 390, height: 844);
        foreach (var place in Places.All)
        {
            await viewer.Page.GotoAsync(place.Href);
            var box = (await viewer.Page.Locator(".side [aria-current]").BoundingBoxAsync())!;
            Assert.That(box.X, Is.Not.Negative, place.Name);
            Assert.That(box.X + box.Width, Is.LessThanOrEqualTo(390), place.Name);
        }
    }

    // Attack: the sun goes down while a chart is open, and its labels stay dark on dark.
    [Test]
    public async Task A_chart_follows_the_system_from_light_to_dark()
    {
        await using var viewer = await OpenAsync();
        await viewer.Page.AddInitScriptAsync(
            """
            window.inks = [];
            // Before the page hears of it: what is drawn from here on is drawn in the dark.
            window.dark = matchMedia('(prefers-color-scheme: dark)');
            dark.addEventListener('change', () => { inks = []; });
            const fillText = CanvasRenderingContext2D.prototype.fillText;
            CanvasRenderingContext2D.prototype.fillText = function (...text) { inks.push(this.fillStyle); return fillText.apply(this, text); };
            """
        );
        await viewer.Page.GotoAsync("/metrics-view?span=6h");
        await Browsing.UntilAsync(viewer.Page, "inks.length > 0");
        await viewer.Page.EmulateMediaAsync(new() { ColorScheme = ColorScheme.Dark });
        await Browsing.UntilAsync(viewer.Page, "dark.matches && inks.length > 0 && inks.at(-1) === '#9aa4b2'");
        Assert.That(await viewer.Page.EvaluateAsync<string[]>("[...new Set(inks)]"), Is.EqualTo(["#9aa4b2"]));
    }
}
