using Microsoft.Playwright;
using Orders.Dashboard.Assets;
using Orders.Dashboard.Tests.Pages;

namespace Orders.Dashboard.Tests.Live;

/// <summary>When the worker of the live figures asks again: its script alone, in a browser, with answers made up.</summary>
internal sealed class LiveWorkerTests
{
    private const string Figures = """new Response('data: {"v":{"k":"1"}}\n\n')""";

    // A page that comes again after the session's end, as one that is loaded anew does.
    private const string Listen = """
        script => new Promise(told => {
            const worker = new Worker(URL.createObjectURL(new Blob([script])), { name: '/live' });
            const show = () => worker.postMessage({ keys: ['k'], sparks: [], charts: false }), heard = [];
            worker.onmessage = ({ data }) => {
                if (data.over) { heard.push(data.over); worker.postMessage(null); show(); }
                if (data.tick) { heard.push(data.tick.v.k); told(heard); }
            };
            setTimeout(() => told([...heard, 'nothing more']), 60000);
            setInterval(show, 2000);
            show();
        })
        """;

    private IPage _page = null!;

    [OneTimeSetUp]
    public async Task OpenAsync()
    {
        _page = await Browsing.NewPageAsync("UTC", "en-GB");
        await _page.RouteAsync(
            "http://live.test/",
            route => route.FulfillAsync(new() { ContentType = "text/html", Body = "<p>A page without a policy." })
        );
        await _page.GotoAsync("http://live.test/");
    }

    [OneTimeTearDown]
    public async Task CloseAsync() => await _page.Context.DisposeAsync();

    [TestCase("Sun, 29 Nov 2026 12:00:00 GMT")]
    [TestCase("-5")]
    [TestCase("soon")]
    public async Task A_refusal_with_a_date_or_nonsense_in_Retry_After_is_asked_again(string after) =>
        Assert.That(
            await HeardAsync($$"""new Response(null, { status: 503, headers: { 'Retry-After': '{{after}}' } })"""),
            Is.EqualTo((string[])["1"])
        );

    [Test]
    public async Task A_clock_that_is_set_back_by_an_hour_delays_nothing() =>
        Assert.That(
            await HeardAsync(
                """
                (setTimeout(() => { const now = Date.now; Date.now = () => now() - 3600000; }, 100),
                    new Response(null, { status: 503, headers: { 'Retry-After': '1' } }))
                """
            ),
            Is.EqualTo((string[])["1"])
        );

    [Test]
    public async Task A_page_that_comes_after_the_end_is_asked_for_anew() =>
        Assert.That(await HeardAsync("new Response(null, { status: 401 })"), Is.EqualTo((string[])["ended", "1"]));

    private async Task<string[]> HeardAsync(string first) =>
        await _page.EvaluateAsync<string[]>(
            Listen,
            $"let asked = 0; self.fetch = async () => ++asked === 1 ? {first} : {Figures};\n{BrowserFiles.TextOf("live.js")}"
        );
}
