using System.Diagnostics;
using Microsoft.Playwright;
using Orders.Dashboard.Tests.Routes;

namespace Orders.Dashboard.Tests.Pages;

/// <summary>What a page may cost, measured in a browser; and what a restart does to whoever looks.</summary>
[Category("Long")]
internal sealed class PageBudgetTests : BrowserFixture
{
    protected override IEnumerable<(string Name, string? Value)> Settings =>
        [("Outbox:Relay", "false"), ("Failures:Index", "false"), ("Redrive:Run", "false")];

    private const int ColdBytes = 80 * 1024;
    private const int MostMilliseconds = 600;
    private const int LiveBytesPerSecond = 2 * 1024;

    [OneTimeSetUp]
    public async Task FillAsync()
    {
        await SampleData.OrdersAsync(TestSystem.Database, 200);
        await SampleData.RestAsync(TestSystem.Database);
        await SampleData.FailuresAsync(TestSystem.Database, 120);
    }

    [Test]
    public async Task A_cold_page_is_small_asks_nobody_else_and_is_painted_soon_on_a_slow_line()
    {
        await using var viewer = await OpenAsync();
        // The shared worker's script is not among the page's own.
        var script = await viewer.Page.Locator("#live-worker").GetAttributeAsync("content");
        var answer = await viewer.Page.APIRequest.GetAsync(script!);
        var worker = double.Parse(answer.Headers["content-length"], System.Globalization.CultureInfo.InvariantCulture);
        foreach (var (_, path) in await PageRoutes.FilledAsync(Dashboard, TestSystem.Database))
        {
            // A busy machine may paint late; a page that never paints in time is too heavy.
            var (bytes, paint) = (0.0, double.MaxValue);
            for (var tries = 0; tries < 5 && paint >= MostMilliseconds; tries++)
            {
                viewer.Requests.Clear();
                (bytes, paint) = await LoadSlowlyAsync(viewer.Page, path);
                bytes += worker;
                Assert.That(bytes, Is.LessThanOrEqualTo(ColdBytes).And.Positive, path);
                Assert.That(paint, Is.Positive, $"{path}: the paint was seen");
                Assert.That(
                    viewer.Requests.Where(url =>
                        !url.StartsWith(Dashboard.Address.ToString(), StringComparison.Ordinal)
                    ),
                    Is.Empty,
                    path
                );
            }

            await TestContext.Out.WriteLineAsync($"{path}: {bytes / 1024:0.0} KB, first paint {paint:0} ms");
            // A time is asserted only where the machine is quiet and the caller says so; the figure is printed always.
            if (Environment.GetEnvironmentVariable("ORDERS_TEST_TIMINGS") is not null)
                Assert.That(paint, Is.LessThan(MostMilliseconds), path);
        }
    }

    [Test]
    public async Task Live_figures_are_a_trickle()
    {
        await using var viewer = await OpenAsync();
        var cookies = string.Join("; ", (await viewer.Page.Context.CookiesAsync()).Select(c => $"{c.Name}={c.Value}"));
        using var http = new HttpClient { BaseAddress = Dashboard.Address };
        http.DefaultRequestHeaders.Add("Cookie", cookies);
        await using var stream = await http.GetStreamAsync(new Uri("/live", UriKind.Relative));
        using var reader = new StreamReader(stream);
        var ticks = new List<int>();
        while (ticks.Count < 6)
        {
            if (await reader.ReadLineAsync() is ['d', 'a', 't', 'a', ..] line)
                ticks.Add(line.Length + 2);
        }

        // The first one is everything there is; then only what changed.
        Assert.That(ticks.Skip(1).Max(), Is.LessThanOrEqualTo(LiveBytesPerSecond));
    }

    [Test]
    public async Task Twenty_viewers_do_not_hold_up_the_end_and_their_pages_come_back_by_themselves()
    {
        await using var viewer = await OpenAsync();
        var page = viewer.Page;
        var port = Dashboard.Address.Port;
        await page.GotoAsync("/orders");
        await Assertions.Expect(page.Locator("#pulse")).ToHaveTextAsync("Live");
        await page.Locator("#find").FillAsync("typed and not sent");
        var cookies = string.Join("; ", (await page.Context.CookiesAsync()).Select(c => $"{c.Name}={c.Value}"));
        using var http = new HttpClient { BaseAddress = Dashboard.Address };
        http.DefaultRequestHeaders.Add("Cookie", cookies);
        var streams = await Task.WhenAll(
            Enumerable.Range(0, 20).Select(_ => http.GetStreamAsync(new Uri("/live", UriKind.Relative)))
        );

        var watch = Stopwatch.StartNew();
        await Dashboard.DisposeAsync();
        Assert.That(watch.Elapsed, Is.LessThan(TimeSpan.FromSeconds(5)), "the dashboard's end with 20 open streams");
        foreach (var stream in streams)
            await stream.DisposeAsync();

        await Assertions
            .Expect(page.Locator("#pulse"))
            .ToHaveTextAsync(
                new System.Text.RegularExpressions.Regex("^No data for [0-9]+ s$"),
                new() { Timeout = 20_000 }
            );
        await RestartDashboardAsync(port);
        await Assertions.Expect(page.Locator("#pulse")).ToHaveTextAsync("Live", new() { Timeout = 30_000 });
        await Assertions.Expect(page.Locator("#find")).ToHaveValueAsync("typed and not sent");
    }

    // 1.6 Mbit/s and 150 ms, nothing in the cache.
    private static async Task<(double Bytes, double Paint)> LoadSlowlyAsync(IPage page, string path)
    {
        var session = await page.Context.NewCDPSessionAsync(page);
        await session.SendAsync("Network.enable");
        await session.SendAsync("Network.clearBrowserCache");
        await session.SendAsync(
            "Network.emulateNetworkConditions",
            new Dictionary<string, object>
            {
                ["offline"] = false,
                ["latency"] = 150,
                ["downloadThroughput"] = 1.6e6 / 8,
                ["uploadThroughput"] = 1.6e6 / 8,
            }
        );
        double bytes = 0;
        session.Event("Network.loadingFinished").OnEvent += (_, e) =>
            bytes += e!.Value.GetProperty("encodedDataLength").GetDouble();
        await page.GotoAsync(path, new() { WaitUntil = WaitUntilState.Load });
        var paint = await page.EvaluateAsync<double>(
            """
            performance.getEntriesByName('first-contentful-paint')[0]?.startTime
                ?? new Promise(done => new PerformanceObserver(list => list.getEntriesByName('first-contentful-paint').forEach(paint => done(paint.startTime))).observe({ type: 'paint', buffered: true }))
            """
        );
        await session.DetachAsync();
        return (bytes, paint);
    }
}
