using Microsoft.Playwright;
using Orders.Dashboard.Tests.Pages;

namespace Orders.Dashboard.Tests.Charts;

/// <summary>
/// The charts as a browser draws them: no label is cut off, each has its unit, and a text for who cannot see it.
/// </summary>
internal sealed class ChartPageTests : BrowserFixture
{
    // Canvas keeps no boxes of what was drawn: they are taken down while it draws.
    private const string TakeDown = """
        window.drawn = [];
        const fillText = CanvasRenderingContext2D.prototype.fillText;
        CanvasRenderingContext2D.prototype.fillText = function (text, x, y, ...more) {
            const m = this.measureText(text), t = this.getTransform();
            const from = t.transformPoint({ x: x - m.actualBoundingBoxLeft, y: y - m.actualBoundingBoxAscent });
            const to = t.transformPoint({ x: x + m.actualBoundingBoxRight, y: y + m.actualBoundingBoxDescent });
            drawn.push({ text, cut: from.x < 0 || from.y < 0 || to.x > this.canvas.width || to.y > this.canvas.height });
            return fillText.call(this, text, x, y, ...more);
        };
        """;

    private const string CutInDrawings = """
        [...document.querySelectorAll('main .fall text, main .spark text')].filter(t => {
            const s = t.ownerSVGElement.getBoundingClientRect(), b = t.getBoundingClientRect();
            return b.width > 0 && (b.left < s.left - .5 || b.top < s.top - .5 || b.right > s.right + .5 || b.bottom > s.bottom + .5);
        }).map(t => t.textContent)
        """;

    // Letters in a drawing that is made smaller with its page become too small to read.
    private const string SmallInDrawings =
        "[...document.querySelectorAll('main .fall text, main .spark text')].map(t => t.getBoundingClientRect().height).filter(h => h > 0 && h < 9)";

    [OneTimeSetUp]
    public async Task FillAsync()
    {
        await SampleData.OrdersAsync(TestSystem.Database, 120);
        await SampleData.HistoryAsync(TestSystem.Database);
        // Runs of minutes, as during an outage.
        await TestSystem.Database.ExecuteAsync(
            "update step_runs set started_at = now() - interval '5 minutes', finished_at = now() where step = 'hurried'"
        );
    }

    [Test]
    public async Task No_label_is_cut_off_at_any_width_in_any_theme(
        [Values(390, 800, 1440)] int width,
        [Values(ColorScheme.Light, ColorScheme.Dark)] ColorScheme scheme
    )
    {
        await using var viewer = await OpenAsync(scheme: scheme, width: width);
        await viewer.Page.AddInitScriptAsync(TakeDown);
        var order = await SampleData.FailedOrderAsync(TestSystem.Database);
        foreach (
            var path in (string[])
                [
                    "/",
                    "/queues",
                    "/metrics-view?span=1h",
                    "/metrics-view?span=2d",
                    "/metrics-view?span=90d",
                    $"/orders/{order}",
                ]
        )
        {
            await viewer.Page.GotoAsync(path);
            await Assertions.Expect(viewer.Page.Locator("#pulse")).ToHaveTextAsync("Live", new() { Timeout = 60_000 });
            if (path == "/" || path.StartsWith("/metrics-view", StringComparison.Ordinal))
                await Browsing.UntilAsync(viewer.Page, "drawn.length > 0");
            Assert.That(
                await viewer.Page.EvaluateAsync<string[]>("drawn.filter(d => d.cut).map(d => d.text)"),
                Is.Empty,
                path
            );
            Assert.That(await viewer.Page.EvaluateAsync<string[]>(CutInDrawings), Is.Empty, path);
            Assert.That(await viewer.Page.EvaluateAsync<double[]>(SmallInDrawings), Is.Empty, path);
            Assert.That(
                await viewer.Page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= innerWidth"),
                $"{path}: nothing to scroll sideways"
            );
            if (Environment.GetEnvironmentVariable("ORDERS_TEST_PICTURES") is { Length: > 0 } folder)
                await viewer.Page.ScreenshotAsync(
                    new()
                    {
                        Path = Path.Combine(
                            folder,
                            $"{path[1..].Replace('?', '-').Replace('/', '-')}-{width}-{scheme}.png"
                        ),
                        FullPage = true,
                    }
                );
        }
    }

    // Attack: the longest states, and backlogs of an outage.
    [Test]
    public async Task What_stands_in_a_step_of_the_flow_neither_overlaps_nor_leaves_its_box()
    {
        await using var viewer = await OpenAsync();
        await viewer.Page.GotoAsync("/flow");
        await Assertions.Expect(viewer.Page.Locator("#pulse")).ToHaveTextAsync("Live", new() { Timeout = 60_000 });
        Assert.That(
            await viewer.Page.EvaluateAsync<string[]>(
                """
                () => [...document.querySelectorAll('.flow g.step')].flatMap(g => {
                    for (const e of g.querySelectorAll('[data-live]'))
                        e.textContent = e.dataset.live.endsWith(':state') ? 'warehouse is down' : e.dataset.live.endsWith(':held') ? '100' : '1,000';
                    const box = g.querySelector('rect').getBoundingClientRect();
                    const texts = [...g.querySelectorAll('text')].map(e => [e.textContent, e.getBoundingClientRect()]);
                    return texts.filter(([, a], i) => a.right > box.right || texts.slice(i + 1).some(([, b]) =>
                        a.left < b.right && b.left < a.right && a.top < b.bottom - 6 && b.top < a.bottom - 6)).map(([says]) => says);
                })
                """
            ),
            Is.Empty
        );
    }

    [Test]
    public async Task The_axis_of_the_overview_is_as_long_as_its_title_says_and_has_units()
    {
        await using var viewer = await OpenAsync();
        await viewer.Page.AddInitScriptAsync(TakeDown);
        await viewer.Page.GotoAsync("/");
        await Assertions.Expect(viewer.Page.Locator("h2 small").First).ToContainTextAsync("last 2 min");
        var labels = await Eventually.That(
            () => viewer.Page.EvaluateAsync<string[]>("[...new Set(drawn.map(d => d.text))]"),
            Has.Member("−2 min").And.Member("now"),
            "labels of the charts",
            TimeSpan.FromMinutes(1)
        );
        Assert.That(labels, Has.Some.EndsWith("/s"));
        Assert.That(labels, Has.None.Matches("^−[3-9] min|^[1-9][0-9,]*$"), "longer ago than the title says, no unit");
    }

    [Test]
    public async Task Each_chart_says_its_last_and_highest_values_to_those_who_do_not_see_it()
    {
        await using var viewer = await OpenAsync();
        foreach (var path in (string[])["/", "/metrics-view?span=6h"])
        {
            await viewer.Page.GotoAsync(path);
            await Assertions.Expect(viewer.Page.Locator(".plot").First).ToBeVisibleAsync();
            foreach (var plot in await viewer.Page.Locator(".plot").AllAsync())
                await Assertions
                    .Expect(plot)
                    .ToHaveAttributeAsync(
                        "aria-label",
                        new System.Text.RegularExpressions.Regex("(last .+, highest|no value)"),
                        new() { Timeout = 30_000 }
                    );
        }

        await viewer.Page.GotoAsync("/queues");
        await Assertions
            .Expect(viewer.Page.Locator(".spark title").First)
            .ToContainTextAsync(new System.Text.RegularExpressions.Regex("over the last minute: .* now, .* at most"));
    }

    [Test]
    public async Task The_mouse_shows_time_and_values_inside_the_chart([Values(390, 1440)] int width)
    {
        await using var viewer = await OpenAsync(width: width);
        await viewer.Page.GotoAsync("/metrics-view?span=6h");
        var plot = viewer.Page.Locator(".plot").Nth(1);
        var tip = plot.Locator(".tip");
        await Assertions.Expect(tip).ToBeHiddenAsync();
        await plot.ScrollIntoViewIfNeededAsync();
        foreach (var share in (double[])[0.1, 0.9])
        {
            var over = (await plot.Locator(".u-over").BoundingBoxAsync())!;
            await viewer.Page.Mouse.MoveAsync((float)(over.X + over.Width * share), over.Y + over.Height / 2);
            await Assertions
                .Expect(tip)
                .ToHaveTextAsync(
                    new System.Text.RegularExpressions.Regex(
                        share < 0.5
                            ? @"\d\d:\d\d:\d\d\s*p50 [\d.]+ (ms|s|min)\s*p95 [\d.]+ (ms|s|min)\s*p99"
                            : @"\d\d:\d\d:\d\d\s*p50 .+\s*p95 .+\s*p99"
                    )
                );
            var box = (await tip.BoundingBoxAsync())!;
            Assert.That(box.X, Is.GreaterThanOrEqualTo(over.X - 1));
            Assert.That(box.X + box.Width, Is.LessThanOrEqualTo(over.X + over.Width + 1));
        }
    }
}
