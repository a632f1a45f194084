using System.Net;
using System.Text.RegularExpressions;
using QueueWorkers.Operators;

namespace Orders.Dashboard.Tests.Login;

/// <summary>Names and passwords, the session, and the token every form carries.</summary>
internal sealed partial class LoginTests : DashboardFixture
{
    private const string Password = "correct horse battery staple";

    [OneTimeSetUp]
    public async Task GivePasswordsAsync()
    {
        var operators = new OperatorStore(TestSystem.Database.Source);
        foreach (
            var (name, role) in ((string, OperatorRole)[])[("vera", OperatorRole.Viewer), ("anna", OperatorRole.Admin)]
        )
            await operators.EnsureAsync(name, role, Password, null, default);
    }

    [Test]
    public async Task Who_is_not_logged_in_is_sent_to_the_login_and_from_there_to_where_he_wanted()
    {
        using var browser = NewBrowser();
        var refused = await browser.GetAsync(new Uri("/orders?status=NeedsAttention", UriKind.Relative));
        Assert.That(refused.StatusCode, Is.EqualTo(HttpStatusCode.Redirect));
        Assert.That(
            refused.Headers.Location!.ToString(),
            Does.StartWith("/login?return=%2Forders%3Fstatus%3DNeedsAttention")
        );
        var answer = await LogInAsync(browser, "anna", Password, refused.Headers.Location.ToString());
        Assert.That(answer.Headers.Location!.ToString(), Is.EqualTo("/orders?status=NeedsAttention"));
    }

    [TestCaseSource(nameof(Elsewhere))]
    public async Task Nobody_is_sent_elsewhere(string address)
    {
        using var browser = NewBrowser();
        var path = $"/login?return={Uri.EscapeDataString(address)}";
        Assert.That(
            await browser.GetStringAsync(new Uri(path, UriKind.Relative)),
            Does.Contain("action=\"/login?return=%2F\""),
            "the form"
        );
        var answer = await LogInAsync(browser, "anna", Password, path);
        Assert.That(
            (answer.StatusCode, answer.Headers.Location?.ToString()),
            Is.EqualTo((HttpStatusCode.Redirect, "/"))
        );
    }

    [TestCase("application/x-www-form-urlencoded", true, HttpStatusCode.RequestEntityTooLarge)]
    [TestCase("application/x-www-form-urlencoded", false, HttpStatusCode.RequestEntityTooLarge)]
    [TestCase("multipart/form-data; boundary=x", true, HttpStatusCode.UnsupportedMediaType)]
    [TestCase("application/json", true, HttpStatusCode.UnsupportedMediaType)]
    public async Task A_megabyte_at_the_login_is_refused_unread(string type, bool tellsLength, HttpStatusCode expected)
    {
        using var browser = NewBrowser();
        Assert.That((await SendAMegabyteAsync(browser, "/login", type, tellsLength)).StatusCode, Is.EqualTo(expected));
    }

    [Test]
    public async Task A_megabyte_posted_to_a_page_is_refused_and_the_viewer_told_the_limit()
    {
        using var browser = NewBrowser();
        await LogInAsync(browser, "anna", Password);
        var answer = await SendAMegabyteAsync(
            browser,
            "/failures/archive",
            "application/x-www-form-urlencoded",
            tellsLength: true
        );
        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.RequestEntityTooLarge));
        Assert.That(
            await answer.Content.ReadAsStringAsync(),
            Does.Contain("64 KiB").And.Contain("nothing was changed")
        );
    }

    [Test]
    public async Task A_multipart_form_is_not_read_by_a_page()
    {
        using var browser = NewBrowser();
        await LogInAsync(browser, "anna", Password);
        using var form = new MultipartFormDataContent { { new StringContent(await TokenAsync(browser)), "_token" } };
        var answer = await browser.PostAsync(new Uri("/alerts/test", UriKind.Relative), form);
        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.BadRequest));
    }

    [Test]
    public async Task The_operator_API_takes_50000_ids_and_refuses_a_flood()
    {
        var filter = new { ids = Enumerable.Range(0, 50_000).Select(_ => Guid.NewGuid()) };
        var preview = await PostAsync("/api/redrives/preview", ViewerKey, new { filter, reason = "to see" });
        Assert.That(preview.Status, Is.EqualTo(200), preview.ToString());
        using var client = NewBrowser();
        client.DefaultRequestHeaders.Authorization = new("Bearer", ViewerKey);
        var flood = await SendAMegabyteAsync(client, "/api/redrives/preview", "application/json", true, times: 5);
        Assert.That(flood.StatusCode, Is.EqualTo(HttpStatusCode.RequestEntityTooLarge));
        Assert.That(await flood.Content.ReadAsStringAsync(), Does.Contain("urn:problem:orders:body-too-large"));
    }

    [Test]
    public async Task The_cookie_is_out_of_reach_of_scripts_and_other_sites()
    {
        using var browser = NewBrowser();
        var answer = await LogInAsync(browser, "anna", Password);
        Assert.That(
            answer.Headers.GetValues("Set-Cookie").Single(),
            Does.Contain("httponly").And.Contain("samesite=lax").And.Contain("max-age=43200")
        );
    }

    [Test]
    public async Task A_form_without_the_token_of_its_session_changes_nothing()
    {
        using var browser = NewBrowser();
        await LogInAsync(browser, "anna", Password);
        foreach (var token in (string[])["", new('0', 128), await TokenOfSomebodyElseAsync()])
        {
            var answer = await PostAsync(
                browser,
                "/alerts/rules/dead-letters",
                token,
                ("threshold", "77"),
                ("hold", "1"),
                ("enabled", "on")
            );
            Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.BadRequest), token);
        }

        Assert.That(await TestSystem.Database.CountAsync("alert_rules where threshold = 77"), Is.Zero);
    }

    [Test]
    public async Task What_a_viewer_posts_all_the_same_is_403_and_on_record()
    {
        using var browser = NewBrowser();
        await LogInAsync(browser, "vera", Password);
        var token = await TokenAsync(browser);
        foreach (
            var path in (string[])
                [
                    "/alerts/test",
                    "/alerts/rules/dead-letters",
                    $"/alerts/{Guid.NewGuid()}/acknowledge",
                    $"/orders/{Guid.NewGuid()}/reveal",
                    "/redrives",
                    $"/redrives/{Guid.NewGuid()}/stop",
                    "/failures/archive",
                    "/bulk-actions",
                    $"/bulk-actions/{Guid.NewGuid()}/confirm",
                    $"/bulk-actions/{Guid.NewGuid()}/end",
                    $"/orders/{Guid.NewGuid()}/cancel",
                    $"/orders/{Guid.NewGuid()}/effects/email/settle",
                    $"/failures/{Guid.NewGuid()}/restore",
                    $"/failures/{Guid.NewGuid()}/edit",
                    $"/failures/{Guid.NewGuid()}/reveal",
                    "/steps/hurried/pause",
                    "/steps/hurried/rates",
                    "/breakers/smtp",
                    "/schedules/purge/run",
                    "/schedules/new",
                    "/schedules/stock-report.mugs/change",
                    "/schedules/stock-report.mugs/delete",
                ]
        )
        {
            var answer = await PostAsync(browser, path, token, ("reason", "curious"));
            Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.Forbidden), path);
            Assert.That(
                await TestSystem.Database.CountAsync(
                    "audit where who = 'vera' and action = 'refused' and result = '403' and target = $1",
                    $"POST {path}"
                ),
                Is.EqualTo(1),
                path
            );
        }
    }

    [Test]
    public async Task Who_logs_out_is_out()
    {
        using var browser = NewBrowser();
        await LogInAsync(browser, "anna", Password);
        var before = await TestSystem.Database.CountAsync("operator_sessions where name = 'anna'");
        var answer = await PostAsync(browser, "/logout", await TokenAsync(browser));
        Assert.That(answer.Headers.Location!.ToString(), Is.EqualTo("/login"));
        Assert.That(
            (await browser.GetAsync(new Uri("/orders", UriKind.Relative))).StatusCode,
            Is.EqualTo(HttpStatusCode.Redirect)
        );
        Assert.That(await TestSystem.Database.CountAsync("operator_sessions where name = 'anna'"), Is.LessThan(before));
    }

    // Attack: the cookie of an older session was copied, and its owner has logged in again since.
    [Test]
    public async Task A_login_in_the_same_browser_ends_the_session_before()
    {
        using var browser = NewBrowser();
        var first = await LogInAsync(browser, "anna", Password);
        using var thief = new HttpClient(new SocketsHttpHandler { UseCookies = false, AllowAutoRedirect = false })
        {
            BaseAddress = Dashboard.Address,
        };
        thief.DefaultRequestHeaders.Add("Cookie", first.Headers.GetValues("Set-Cookie").Single().Split(';')[0]);
        thief.DefaultRequestHeaders.Add("HX-Request", "true");
        var fragment = new Uri("/attention", UriKind.Relative);
        Assert.That((await thief.GetAsync(fragment)).StatusCode, Is.EqualTo(HttpStatusCode.OK));
        // A wrong password ends nothing.
        await LogInAsync(browser, "vera", "not the password");
        Assert.That((await thief.GetAsync(fragment)).StatusCode, Is.EqualTo(HttpStatusCode.OK));

        await LogInAsync(browser, "vera", Password);
        Assert.That((await thief.GetAsync(fragment)).StatusCode, Is.EqualTo(HttpStatusCode.Unauthorized));
        Assert.That((await browser.GetAsync(fragment)).StatusCode, Is.EqualTo(HttpStatusCode.OK));
    }

    [Test]
    public async Task A_session_opens_no_endpoint_of_the_operator_api()
    {
        using var browser = NewBrowser();
        await LogInAsync(browser, "anna", Password);
        Assert.That(
            (await browser.GetAsync(new Uri("/api/me", UriKind.Relative))).StatusCode,
            Is.EqualTo(HttpStatusCode.Unauthorized)
        );
    }

    // With names to display: some have characters that no report of tests can hold.
    private static readonly TestCaseData[] Elsewhere =
    [
        .. new (string Name, string Address)[]
        {
            ("another host", "https://elsewhere.example/"),
            ("no scheme", "//elsewhere.example/"),
            ("backslash", @"/\elsewhere.example/"),
            ("tab", "/\t/elsewhere.example/"),
            ("line feed", "/\n/elsewhere.example/"),
            ("CR LF", "/\r\n/elsewhere.example/"),
            ("CR LF and a header", "/\r\nSet-Cookie: stolen=1"),
            ("tab and two slashes", "/\t//elsewhere.example/"),
            ("control character", "/\u0001"),
            ("NUL", "/\0"),
            ("umlaut", "/ü"),
            ("space", "/ /elsewhere.example/"),
            ("3,001 characters", "/" + new string('a', 3000)),
        }.Select(a => new TestCaseData(a.Address).SetArgDisplayNames(a.Name)),
    ];

    // Says how much it is before it sends it, and does not send it when the answer comes first.
    private static async Task<HttpResponseMessage> SendAMegabyteAsync(
        HttpClient browser,
        string path,
        string type,
        bool tellsLength,
        int times = 1
    )
    {
        // Without a length the answer comes only when too much was read: what the client still writes then meets a closed
        // connection.
        var bytes = new byte[tellsLength ? times * 1024 * 1024 : (64 * 1024) + 1];
        Array.Fill(bytes, (byte)'a');
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(path, UriKind.Relative))
        {
            Content = tellsLength ? new ByteArrayContent(bytes) : new StreamContent(new MemoryStream(bytes)),
        };
        request.Content.Headers.TryAddWithoutValidation("Content-Type", type);
        request.Headers.ExpectContinue = true;
        if (!tellsLength)
            request.Headers.TransferEncodingChunked = true;
        return await browser.SendAsync(request);
    }

    private HttpClient NewBrowser() =>
        new(
            new SocketsHttpHandler
            {
                AllowAutoRedirect = false,
                CookieContainer = new CookieContainer(),
                // A body that is refused unread is not sent, however long the refusal takes.
                Expect100ContinueTimeout = TimeSpan.FromSeconds(30),
            }
        )
        {
            BaseAddress = Dashboard.Address,
        };

    private static Task<HttpResponseMessage> LogInAsync(
        HttpClient browser,
        string name,
        string password,
        string path = "/login"
    ) =>
        browser.PostAsync(
            new Uri(path, UriKind.Relative),
            new FormUrlEncodedContent([new("name", name), new("password", password)])
        );

    private static Task<HttpResponseMessage> PostAsync(
        HttpClient browser,
        string path,
        string token,
        params (string Name, string Value)[] fields
    ) =>
        browser.PostAsync(
            new Uri(path, UriKind.Relative),
            new FormUrlEncodedContent([
                new("_token", token),
                .. fields.Select(f => new KeyValuePair<string, string>(f.Name, f.Value)),
            ])
        );

    private static async Task<string> TokenAsync(HttpClient browser) =>
        Token().Match(await browser.GetStringAsync(new Uri("/queues", UriKind.Relative))).Groups[1].Value;

    private async Task<string> TokenOfSomebodyElseAsync()
    {
        using var browser = NewBrowser();
        await LogInAsync(browser, "vera", Password);
        return await TokenAsync(browser);
    }

    [GeneratedRegex("name=\"_token\" value=\"([0-9a-f]+)\"")]
    private static partial Regex Token();
}
