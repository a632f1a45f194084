using System.Net;
using System.Text.RegularExpressions;
using Orders.Dashboard.Proxy;
using Orders.Dashboard.Tests.Pages;

namespace Orders.Dashboard.Tests.Proxy;

/// <summary>
/// The dashboard behind nginx with TLS, below <c>/ops/</c> of a site: every address that it sends leads back to it.
/// </summary>
internal sealed partial class ReverseProxyTests : BrowserFixture
{
    private Nginx _nginx = null!;

    protected override IEnumerable<(string Name, string? Value)> Settings => [("Proxy:From", "127.0.0.1")];

    [OneTimeSetUp]
    public async Task StartNginxAsync() => _nginx = await Nginx.StartAsync(Dashboard.Address);

    [OneTimeTearDown]
    public async Task StopNginxAsync()
    {
        if (_nginx is not null)
            await _nginx.DisposeAsync();
    }

    [Test]
    public async Task The_login_leads_to_the_page_that_was_asked_for_and_its_cookie_is_secure()
    {
        using var browser = _nginx.NewClient();
        using var refused = await browser.GetAsync(Relative("/ops/orders?status=NeedsAttention"));
        Assert.That(
            refused.Headers.Location!.ToString(),
            Is.EqualTo("/ops/login?return=%2Forders%3Fstatus%3DNeedsAttention")
        );
        using var answer = await LogInAsync(browser, refused.Headers.Location.ToString());
        Assert.Multiple(() =>
        {
            Assert.That(answer.Headers.Location!.ToString(), Is.EqualTo("/ops/orders?status=NeedsAttention"));
            Assert.That(
                answer.Headers.GetValues("Set-Cookie").Single(),
                Does.Contain("; secure").And.Contain("; path=/ops;").And.Contain("; httponly")
            );
        });
    }

    // Attack: the first request of a later visit goes by plain HTTP, and somebody in between answers it.
    [TestCase("/ops/login", "ops.example", true)]
    [TestCase("/ops/api/me", "ops.example", true)]
    [TestCase("/ops/login", "localhost", false)]
    public async Task A_browser_that_came_by_TLS_is_told_to_come_by_TLS_only(string path, string host, bool isTold)
    {
        using var browser = _nginx.NewClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, Relative(path));
        request.Headers.Host = host;
        using var answer = await browser.SendAsync(request);
        Assert.That(
            answer.Headers.TryGetValues("Strict-Transport-Security", out var said) ? said.Single() : null,
            isTold ? Is.EqualTo("max-age=31536000") : Is.Null
        );
        // By plain HTTP, past the proxy: such a header would count for nothing, and is not sent.
        using var plain = new HttpClient { BaseAddress = Dashboard.Address };
        using var bare = await plain.GetAsync(Relative("/login"));
        Assert.That(bare.Headers.Contains("Strict-Transport-Security"), Is.False);
    }

    [Test]
    public async Task Every_address_on_every_page_leads_to_a_page()
    {
        using var browser = _nginx.NewClient();
        (await LogInAsync(browser, "/ops/login")).Dispose();
        Dictionary<string, string> seen = new() { ["/ops/"] = "the browser" };
        Queue<string> next = new(seen.Keys);
        HashSet<string> kinds = [];
        while (next.TryDequeue(out var path))
        {
            using var answer = await browser.GetAsync(Relative(path));
            Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.OK), $"{path}, from {seen[path]}");
            if (answer.Content.Headers.ContentType?.MediaType != "text/html")
                continue;
            foreach (Match match in Address().Matches(await answer.Content.ReadAsStringAsync()))
            {
                var (kind, address) = (match.Groups[1].Value, WebUtility.HtmlDecode(match.Groups[2].Value));
                kinds.Add(kind);
                Assert.That(address, Does.StartWith("/ops/"), $"{kind} on {path}");
                // A form's address may be one that takes a POST only, and the stream has no end.
                if (kind is "href" or "src" or "hx-get" && seen.TryAdd(address, path))
                    next.Enqueue(address);
            }
        }

        Assert.That(seen, Has.Count.GreaterThan(20), "addresses");
        Assert.That(kinds, Is.SupersetOf((string[])["href", "src", "action", "content", "hx-get"]));
    }

    [Test]
    public async Task Forms_are_taken_and_lead_back()
    {
        using var browser = _nginx.NewClient();
        (await LogInAsync(browser, "/ops/login")).Dispose();
        var page = await browser.GetStringAsync(Relative("/ops/alerts"));
        var token = Token().Match(page).Groups[1].Value;
        using var answer = await browser.PostAsync(
            Relative("/ops/alerts/test"),
            new FormUrlEncodedContent([new("_token", token)])
        );
        Assert.That(answer.Headers.Location?.ToString(), Does.StartWith("/ops/alerts?done="));
    }

    [Test]
    public async Task The_operator_API_is_below_the_path_too()
    {
        using var client = _nginx.NewClient();
        client.DefaultRequestHeaders.Authorization = new("Bearer", ViewerKey);
        Assert.That(await client.GetStringAsync(Relative("/ops/api/me")), Does.Contain("vera"));
    }

    [Test]
    public async Task A_browser_sees_live_figures_and_asks_for_nothing_outside()
    {
        await using var viewer = await Browsing.OpenAsync(new Uri(_nginx.Address, "ops/"), "anna");
        await Eventually.That(
            () => viewer.Requests.ToArray(),
            Has.Some.Contains("/ops/attention"),
            "what the page asks for by itself"
        );
        await Browsing.PressPairAsync(viewer.Page, 'g', 'r');
        await viewer.Page.WaitForURLAsync("**/ops/orders");
        // Said by the first tick of the stream, which is below the path too.
        await viewer.Page.GetByText("Live", new() { Exact = true }).WaitForAsync();

        Assert.That(viewer.Requests, Has.All.StartsWith(new Uri(_nginx.Address, "ops/").ToString()));
    }

    [TestCase("192.0.2.1, 10.0.0.0/8")]
    [TestCase("")]
    public async Task Headers_of_a_stranger_count_as_absent(string proxies)
    {
        await using var dashboard = await DashboardHost.StartAsync(TestSystem, ("Proxy:From", proxies));
        using var client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false });
        client.DefaultRequestHeaders.Add("X-Forwarded-Proto", "https");
        client.DefaultRequestHeaders.Add("X-Forwarded-Prefix", "/evil");
        client.DefaultRequestHeaders.Add("X-Forwarded-Host", "evil.example");
        using var refused = await client.GetAsync(new Uri(dashboard.Address, "/orders"));
        Assert.That(refused.Headers.Location!.ToString(), Is.EqualTo("/login?return=%2Forders"));
        using var answer = await client.PostAsync(new Uri(dashboard.Address, "/login"), Credentials());
        Assert.That(
            answer.Headers.GetValues("Set-Cookie").Single(),
            Does.Contain("path=/;").And.Not.Contain("secure").And.Not.Contain("evil")
        );
    }

    [TestCase("""<a href="/orders">""", """<a href="/ops/orders">""")]
    [TestCase("""<a href="/">""", """<a href="/ops/">""")]
    [TestCase("""<form method="post" action="/x">""", """<form method="post" action="/ops/x">""")]
    [TestCase("""<a href="//elsewhere/">""", """<a href="//elsewhere/">""")]
    [TestCase("""<a href="#main">""", """<a href="#main">""")]
    [TestCase("""<input value=" href=&quot;/x">""", """<input value=" href=&quot;/x">""")]
    [TestCase("""<textarea placeholder='{"path":"/x"}'>""", """<textarea placeholder='{"path":"/x"}'>""")]
    public void Only_addresses_of_the_dashboard_get_the_path(string page, string becomes) =>
        Assert.That(SubPath.In(page, "/ops"), Is.EqualTo(becomes));

    private static Uri Relative(string path) => new(path, UriKind.Relative);

    private static Task<HttpResponseMessage> LogInAsync(HttpClient browser, string path) =>
        browser.PostAsync(Relative(path), Credentials());

    private static FormUrlEncodedContent Credentials() =>
        new([new("name", "anna"), new("password", Browsing.Password)]);

    [GeneratedRegex(@"\s(href|src|action|formaction|content|hx-get|hx-post)=""(/[^""]*)""")]
    private static partial Regex Address();

    [GeneratedRegex("name=\"_token\" value=\"([0-9a-f]+)\"")]
    private static partial Regex Token();
}
