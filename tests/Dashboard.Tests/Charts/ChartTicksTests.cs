using Microsoft.Playwright;
using Orders.Dashboard.Assets;
using Orders.Dashboard.OrderPages;
using Orders.Dashboard.Tests.Pages;

namespace Orders.Dashboard.Tests.Charts;

/// <summary>Which ticks the axes have, and what stands at them: the script's functions alone, in a browser.</summary>
internal sealed class ChartTicksTests
{
    private IPage _page = null!;

    [OneTimeSetUp]
    public async Task OpenAsync() => _page = await PageAsync("Europe/Berlin", "en-GB");

    [OneTimeTearDown]
    public async Task CloseAsync() => await _page.Context.DisposeAsync();

    [TestCase(300_000, "ms", "0|1 min|2 min|3 min|4 min|5 min")]
    [TestCase(1500, "ms", "0|500 ms|1 s|1.5 s")]
    [TestCase(42, "ms", "0|10 ms|20 ms|30 ms|40 ms|50 ms")]
    [TestCase(5_400_000, "ms", "0|30 min|1 h|1.5 h")]
    [TestCase(4_500_000, "ms", "0|15 min|30 min|45 min|1 h|75 min")]
    [TestCase(0, "ms", "0|20 ms|40 ms|60 ms|80 ms|100 ms")]
    [TestCase(0, "/s", "0|0.2/s|0.4/s|0.6/s|0.8/s|1/s")]
    [TestCase(3.2, "/s", "0|1/s|2/s|3/s|4/s")]
    [TestCase(0.03, "/s", "0|0.01/s|0.02/s|0.03/s")]
    [TestCase(1234, "/s", "0|500/s|1,000/s|1,500/s")]
    public async Task Values_have_round_ticks_with_their_unit(double top, string unit, string expected) =>
        Assert.That(
            string.Join(
                '|',
                await TextsAsync(_page, "([top, unit]) => Charts.valueTicks(top, unit, 5).texts", top, unit)
            ),
            Is.EqualTo(expected)
        );

    [TestCase("ms")]
    [TestCase("/s")]
    public async Task Every_value_is_below_the_last_tick_and_no_two_ticks_say_the_same(string unit)
    {
        var wrong = await TextsAsync(
            _page,
            """
            ([unit]) => {
                const wrong = [];
                for (let top = 0.001; top < 1e12; top *= 1.37) {
                    const { at, texts } = Charts.valueTicks(top, unit, 5);
                    if (at[0] !== 0 || at.at(-1) < top * (1 - 1e-9) || at.length > 7 || new Set(texts).size !== texts.length)
                        wrong.push(`${top}: ${texts.join(' ')}`);
                }
                return wrong;
            }
            """,
            unit
        );
        Assert.That(wrong, Is.Empty);
    }

    [TestCase("2026-11-28T20:30Z", "2026-11-29T02:30Z", 6, "22:00|23:00|29 Nov|01:00|02:00|03:00")]
    [TestCase("2026-11-29T13:05Z", "2026-11-29T14:05Z", 6, "14:10|14:20|14:30|14:40|14:50|15:00", TestName = "An_hour")]
    [TestCase("2026-11-01T12:00Z", "2026-11-15T12:00Z", 7, "3 Nov|5 Nov|7 Nov|9 Nov|11 Nov|13 Nov|15 Nov")]
    public async Task Times_are_round_in_the_viewers_zone(string from, string until, int most, string expected) =>
        Assert.That(string.Join('|', await TimesAsync(_page, from, until, most)), Is.EqualTo(expected));

    [Test]
    public async Task Times_have_24_hours_also_where_people_count_twelve()
    {
        var page = await PageAsync("America/New_York", "en-US");
        Assert.That(
            await TimesAsync(page, "2026-11-29T19:10Z", "2026-11-29T22:10Z", 6),
            Is.EqualTo((string[])["14:30", "15:00", "15:30", "16:00", "16:30", "17:00"])
        );
        await page.Context.DisposeAsync();
    }

    // Clocks go back at 03:00 on 25 October and forward at 02:00 on 29 March.
    [TestCase("2026-10-24T22:00Z", "2026-10-25T06:00Z")]
    [TestCase("2026-03-28T23:00Z", "2026-03-29T05:00Z")]
    public async Task Ticks_go_forward_when_clocks_are_changed(string from, string until)
    {
        foreach (var most in (int[])[3, 6, 12, 40])
            Assert.That(
                await _page.EvaluateAsync<bool>(
                    "([from, until, most]) => { const { at } = Charts.timeTicks(Date.parse(from), Date.parse(until), most); return at.length > 1 && at.every((t, i) => i === 0 || t > at[i - 1]); }",
                    new object[] { from, until, most }
                ),
                $"at most {most}"
            );
    }

    [TestCase(5, "−2 min|−1.5 min|−1 min|−30 s|now")]
    [TestCase(2, "−2 min|−1 min|now")]
    public async Task An_axis_that_ends_now_says_how_long_ago(int most, string expected) =>
        Assert.That(
            string.Join('|', await TextsAsync(_page, "([most]) => Charts.agoTicks(120000, most).texts", most)),
            Is.EqualTo(expected)
        );

    [TestCase(7.3, 6, "0|2 s|4 s|6 s")]
    [TestCase(0.02, 6, "0|5 ms|10 ms|15 ms|20 ms")]
    [TestCase(3 * 3600, 3, "0|1 h|2 h|3 h")]
    [TestCase(40.0 * 365 * 86_400, 3, "0|5110 d|10220 d")]
    public void A_waterfalls_ticks_are_round(double seconds, int most, string expected) =>
        Assert.That(
            string.Join('|', DurationTicks.Of(TimeSpan.FromSeconds(seconds), most).Select(DurationTicks.Text)),
            Is.EqualTo(expected)
        );

    private static async Task<IPage> PageAsync(string zone, string locale)
    {
        var page = await Browsing.NewPageAsync(zone, locale);
        await page.AddScriptTagAsync(new() { Content = BrowserFiles.TextOf("charts.js") });
        return page;
    }

    private static Task<string[]> TimesAsync(IPage page, string from, string until, int most) =>
        TextsAsync(
            page,
            "([from, until, most]) => Charts.timeTicks(Date.parse(from), Date.parse(until), most).texts",
            from,
            until,
            most
        );

    private static Task<string[]> TextsAsync(IPage page, string script, params object[] arguments) =>
        page.EvaluateAsync<string[]>(script, arguments);
}
