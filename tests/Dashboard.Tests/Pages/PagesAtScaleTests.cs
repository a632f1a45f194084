using System.Diagnostics;
using System.Globalization;
using System.Net;
using Orders.Dashboard.Tests.Routes;

namespace Orders.Dashboard.Tests.Pages;

/// <summary>
/// Every page, with many orders and failures. Size: ORDERS_TEST_MANY orders and a tenth as many failures, 1,000,000 in
/// the issue. The times are printed; that each is under 300 ms is asserted where ORDERS_TEST_TIMINGS says that the
/// machine is quiet.
/// </summary>
internal sealed class PagesAtScaleTests : DashboardFixture
{
    private const int MostMilliseconds = 300;
    private const int Rounds = 5;
    private static readonly int Orders = int.Parse(
        Environment.GetEnvironmentVariable("ORDERS_TEST_MANY") ?? "2000",
        CultureInfo.InvariantCulture
    );

    protected override IEnumerable<(string Name, string? Value)> Settings =>
        [("Outbox:Relay", "false"), ("Failures:Index", "false"), ("Redrive:Run", "false")];

    [OneTimeSetUp]
    public async Task FillAsync()
    {
        await Browsing.GivePasswordsAsync(TestSystem);
        await SampleData.OrdersAsync(TestSystem.Database, Orders);
        // Without it the next statements are planned for empty tables.
        await TestSystem.Database.ExecuteAsync("analyze");
        await SampleData.RestAsync(TestSystem.Database);
        await SampleData.FailuresAsync(TestSystem.Database, Orders / 10);
        // What autovacuum does within a minute on a running system.
        await TestSystem.Database.ExecuteAsync("vacuum analyze");
    }

    [Test]
    public async Task Every_page_is_there_at_once()
    {
        string[] pages =
        [
            .. (await PageRoutes.FilledAsync(Dashboard, TestSystem.Database)).Select(page => page.Address),
            "/orders?status=NeedsAttention",
            "/orders?status=Processing&age=1h",
            "/orders?q=O-00000042",
            "/failures?group=group1",
            "/failures?fault=TimeoutException",
            "/failures?order=O-00000010",
            "/failures?text=warehouse",
            "/failures?state=Archived",
            "/outbox?part=Delayed",
            "/outbox?part=Quarantine",
            "/metrics-view?span=90d",
        ];
        using var browser = new HttpClient(
            new SocketsHttpHandler
            {
                CookieContainer = new CookieContainer(),
                AutomaticDecompression = DecompressionMethods.None,
            }
        )
        {
            BaseAddress = Dashboard.Address,
        };
        await browser.PostAsync(
            new Uri("/login", UriKind.Relative),
            new FormUrlEncodedContent([new("name", "anna"), new("password", Browsing.Password)])
        );
        var late = new List<string>();
        foreach (var path in pages)
        {
            var times = new List<double>();
            for (var round = 0; round < Rounds; round++)
            {
                var watch = Stopwatch.StartNew();
                using var answer = await browser.GetAsync(new Uri(path, UriKind.Relative));
                var text = await answer.Content.ReadAsStringAsync();
                times.Add(watch.Elapsed.TotalMilliseconds);
                Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.OK), path);
                Assert.That(text, Does.Not.Contain("class=\"fault\""), path);
            }

            var median = times.Order().ElementAt(Rounds / 2);
            await TestContext.Out.WriteLineAsync($"{path}: {median:0} ms, at most {times.Max():0} ms");
            if (median >= MostMilliseconds)
                late.Add($"{path}: {median:0} ms");
        }

        if (Environment.GetEnvironmentVariable("ORDERS_TEST_TIMINGS") is not null)
            Assert.That(late, Is.Empty, $"pages that take {MostMilliseconds} ms or more with {Orders} orders");
    }
}
