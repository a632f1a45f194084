using System.Net;
using Orders.Dashboard.Oidc;
using Orders.Dashboard.Tests.Accounts;
using QueueWorkers.Operators;

namespace Orders.Dashboard.Tests.Oidc;

/// <summary>Operators log in by an identity provider; whatever does not fit is refused with a sentence.</summary>
[NonParallelizable]
internal sealed class OidcLoginTests : AccountFixture
{
    private OidcProvider? _provider;

    protected override IEnumerable<(string Name, string? Value)> Settings
    {
        get
        {
            _provider ??= OidcProvider.Start();
            return
            [
                ("Oidc:Authority", _provider.Issuer),
                ("Oidc:ClientId", OidcProvider.ClientId),
                ("Oidc:ClientSecret", OidcProvider.ClientSecret),
                ("Oidc:Roles", "orders-support=Operator, orders-admins=Admin, staff=Viewer"),
                ("Oidc:Label", "Log in with the company's account"),
            ];
        }
    }

    private OidcProvider Provider => _provider!;

    [OneTimeTearDown]
    public async Task StopProviderAsync() => await _provider!.DisposeAsync();

    [Test]
    public async Task An_operator_of_the_provider_gets_a_session_with_the_highest_role_of_the_claim()
    {
        using var browser = NewBrowser();
        var page = WebUtility.HtmlDecode(await browser.GetStringAsync(Address("/login?return=%2Forders")));
        Assert.That(
            page,
            Does.Contain("href=\"/login/oidc?return=%2Forders\"").And.Contain("Log in with the company's account")
        );
        Provider.Next = new Identity { Subject = "right", Name = "Lena" };
        var answer = await browser.GetAsync(await CallbackAsync(browser, "/login/oidc?return=%2Forders"));
        Assert.That(
            (answer.StatusCode, answer.Headers.Location?.ToString()),
            Is.EqualTo((HttpStatusCode.Redirect, "/orders"))
        );
        Assert.That((await browser.GetAsync(Address("/orders"))).StatusCode, Is.EqualTo(HttpStatusCode.OK));
        Assert.That((await browser.GetAsync(Address("/operators"))).StatusCode, Is.EqualTo(HttpStatusCode.Forbidden));
        Assert.That(
            await TestSystem.Database.CountAsync(
                "operators where name = 'lena' and role = $1 and password_hash is null and external_id = $2",
                (short)OperatorRole.Operator,
                $"{Provider.Issuer} right"
            ),
            Is.EqualTo(1)
        );
    }

    [Test]
    public async Task A_role_that_the_provider_takes_away_is_gone_at_the_next_login()
    {
        Provider.Next = new Identity
        {
            Subject = "changing",
            Name = "carl",
            Roles = ["orders-admins"],
        };
        using var before = await LogInAsync();
        Assert.That((await before.GetAsync(Address("/operators"))).StatusCode, Is.EqualTo(HttpStatusCode.OK));
        Provider.Next = Provider.Next with { Roles = ["staff"], Name = "another-name" };
        using var after = await LogInAsync();
        Assert.That((await after.GetAsync(Address("/operators"))).StatusCode, Is.EqualTo(HttpStatusCode.Forbidden));
        Assert.That((await before.GetAsync(Address("/orders"))).StatusCode, Is.EqualTo(HttpStatusCode.Redirect));
        Assert.That(
            await TestSystem.Database.CountAsync("audit where who = 'carl' and action = 'change-role'"),
            Is.EqualTo(1)
        );
    }

    [Test]
    public async Task A_login_in_the_same_browser_ends_the_session_before()
    {
        Provider.Next = new Identity { Subject = "first", Name = "tina" };
        using var browser = await LogInAsync();
        Provider.Next = new Identity { Subject = "second", Name = "theo" };
        await browser.GetAsync(await CallbackAsync(browser, "/login/oidc"));
        Assert.That(await TestSystem.Database.CountAsync("operator_sessions where name = 'tina'"), Is.Zero);
        Assert.That(await TestSystem.Database.CountAsync("operator_sessions where name = 'theo'"), Is.EqualTo(1));
    }

    [Test]
    public async Task Who_is_disabled_here_stays_out_whatever_the_provider_says()
    {
        Provider.Next = new Identity { Subject = "disabled", Name = "dora" };
        using var before = await LogInAsync();
        Assert.That(
            (await PostAsync("/api/operators/dora/disable", AdminKey, new { reason = Because })).Status,
            Is.EqualTo(204)
        );
        Assert.That((await before.GetAsync(Address("/orders"))).StatusCode, Is.EqualTo(HttpStatusCode.Redirect));
        await RefusedAsync("is disabled here");
    }

    private static IEnumerable<TestCaseData> Wrong =>
        [
            new TestCaseData(
                new Identity { Audience = "another-application" },
                "for another application"
            ).SetArgDisplayNames("audience"),
            new TestCaseData(new Identity { ExpiresIn = TimeSpan.FromMinutes(-10) }, "has expired").SetArgDisplayNames(
                "expired"
            ),
            new TestCaseData(
                new Identity { Nonce = "of another login" },
                "belongs to another login"
            ).SetArgDisplayNames("nonce"),
            new TestCaseData(
                new Identity { Issuer = "https://elsewhere.example" },
                "another identity provider"
            ).SetArgDisplayNames("issuer"),
            new TestCaseData(new Identity { IsForged = true }, "signature").SetArgDisplayNames("signature"),
            new TestCaseData(new Identity { Roles = ["accounting"] }, "gives you no role").SetArgDisplayNames("role"),
            new TestCaseData(new Identity { Roles = null }, "gives you no role").SetArgDisplayNames("no role claim"),
            new TestCaseData(new Identity { Name = "x'; drop" }, "no usable name").SetArgDisplayNames("name"),
            new TestCaseData(new Identity { Name = null }, "no usable name").SetArgDisplayNames("no name"),
            new TestCaseData(new Identity { Name = "anna" }, "another operator").SetArgDisplayNames(
                "name of a local admin"
            ),
        ];

    [TestCaseSource(nameof(Wrong))]
    public async Task What_does_not_fit_is_refused_with_a_sentence(Identity said, string says)
    {
        Provider.Next = said with { Subject = "wrong" };
        await RefusedAsync(says);
        Assert.That(await TestSystem.Database.CountAsync("operators where external_id like '% wrong'"), Is.Zero);
    }

    [Test]
    public async Task An_answer_with_another_state_or_in_another_browser_is_refused()
    {
        Provider.Next = new Identity { Subject = "state", Name = "sara" };
        using var victim = NewBrowser();
        using var attacker = NewBrowser();
        var stolen = await CallbackAsync(attacker, "/login/oidc");
        await RefusedAsync(victim, stolen, "begun in another browser");
        var other = await CallbackAsync(victim, "/login/oidc");
        await RefusedAsync(
            victim,
            new Uri(other.ToString().Replace("state=", "state=x", StringComparison.Ordinal)),
            "begun in another browser"
        );
    }

    [Test]
    public async Task An_admin_of_the_provider_makes_API_keys_but_no_operators()
    {
        Provider.Next = new Identity
        {
            Subject = "admin",
            Name = "ada",
            Roles = ["orders-admins"],
        };
        using var browser = await LogInAsync();
        var token = System.Text.RegularExpressions.Regex.Match(
            await browser.GetStringAsync(Address("/keys")),
            "name=\"_token\" value=\"([0-9a-f]+)\""
        );
        async Task<HttpResponseMessage> SendAsync(string path, params (string Name, string Value)[] fields) =>
            await browser.PostAsync(
                Address(path),
                new FormUrlEncodedContent([
                    new("_token", token.Groups[1].Value),
                    new("reason", Because),
                    .. fields.Select(f => new KeyValuePair<string, string>(f.Name, f.Value)),
                ])
            );
        var key = await SendAsync("/keys", ("client", "shop"), ("scope", "orders:read"));
        Assert.That(key.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        Assert.That(await key.Content.ReadAsStringAsync(), Does.Contain("Key of shop"));
        var account = await SendAsync("/operators", ("name", "friend"), ("role", "Admin"), ("with", "keys"));
        Assert.That(
            Uri.UnescapeDataString(account.Headers.Location!.ToString()),
            Does.Contain("Nothing was changed. You are logged in by the identity provider.")
        );
        Assert.That(await TestSystem.Database.CountAsync("operators where name = 'friend'"), Is.Zero);
    }

    [Test]
    public async Task A_provider_that_is_away_is_said_on_the_login_page()
    {
        await using var system = await DashboardHost.StartAsync(
            TestSystem,
            Settings.Append(("Oidc:Authority", "http://127.0.0.1:1"))
        );
        using var browser = NewBrowser();
        var answer = await browser.GetAsync(new Uri(system.Address, "/login/oidc"));
        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.Unauthorized));
        Assert.That(await answer.Content.ReadAsStringAsync(), Does.Contain("The identity provider does not answer."));
    }

    [TestCase(Pushed.Away, "The identity provider does not answer.")]
    [TestCase(Pushed.Page, "gives an answer that cannot be used")]
    [TestCase(Pushed.Broken, "gives an answer that cannot be used")]
    [TestCase(Pushed.Refuses, "gives an answer that cannot be used")]
    [TestCase(Pushed.AwayBefore, "The identity provider does not answer.")]
    public async Task A_pushed_request_that_the_provider_does_not_take_is_said_on_the_login_page(
        Pushed pushed,
        string says
    )
    {
        Provider.Pushed = pushed;
        try
        {
            await using var fresh = await DashboardHost.StartAsync(TestSystem, Settings);
            using var browser = NewBrowser();
            var answer = await browser.GetAsync(new Uri(fresh.Address, "/login/oidc"));
            var page = WebUtility.HtmlDecode(await answer.Content.ReadAsStringAsync());
            Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.Unauthorized), page);
            Assert.That(page, Does.Contain(says).And.Not.Contain("Bad Gateway").And.Not.Contain("invalid_client"));
        }
        finally
        {
            Provider.Pushed = Pushed.Never;
        }
    }

    [Test]
    public async Task A_provider_that_takes_pushed_requests_only_lets_an_operator_in()
    {
        Provider.Pushed = Pushed.Works;
        Provider.Next = new Identity { Subject = "pushed", Name = "paul" };
        try
        {
            await using var fresh = await DashboardHost.StartAsync(TestSystem, Settings);
            using var browser = NewBrowser();
            var begun = await browser.GetAsync(new Uri(fresh.Address, "/login/oidc"));
            // What would be worth reading in a log or a referrer went from server to server.
            Assert.That(
                begun.Headers.Location!.Query,
                Does.Contain("request_uri=").And.Not.Contain("nonce").And.Not.Contain("state")
            );
            var asked = await browser.GetAsync(begun.Headers.Location);
            var answer = await browser.GetAsync(asked.Headers.Location);
            Assert.That(
                (answer.StatusCode, answer.Headers.Location?.ToString()),
                Is.EqualTo((HttpStatusCode.Redirect, "/")),
                await answer.Content.ReadAsStringAsync()
            );
        }
        finally
        {
            Provider.Pushed = Pushed.Never;
        }
    }

    // Attack: nobody in particular makes the dashboard call the provider, as often as they like.
    [TestCase("/login/oidc", HttpStatusCode.Redirect)]
    [TestCase("/login/oidc/callback?code=guessed&state=guessed", HttpStatusCode.Unauthorized)]
    public async Task A_flood_of_logins_from_one_address_is_refused_and_other_addresses_log_in(
        string path,
        HttpStatusCode before
    )
    {
        await using var fresh = await DashboardHost.StartAsync(TestSystem, [.. Settings, ("Proxy:From", "127.0.0.1")]);
        using var attacker = NewBrowser();
        attacker.DefaultRequestHeaders.Add("X-Forwarded-For", "203.0.113.7");
        HttpResponseMessage answer;
        // A new minute may begin in between.
        for (var tries = 1; ; tries++)
        {
            answer = await attacker.GetAsync(new Uri(fresh.Address, path));
            if (answer.StatusCode != before)
                break;
            Assert.That(tries, Is.LessThan(20 * OidcLimits.MostPerMinute), "requests that were let through");
        }

        var page = await answer.Content.ReadAsStringAsync();
        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.TooManyRequests), page);
        Assert.That(answer.Headers.RetryAfter?.Delta, Is.GreaterThan(TimeSpan.Zero));
        Assert.That(page, Does.Contain("Too many logins. Try again in "));
        using var another = NewBrowser();
        another.DefaultRequestHeaders.Add("X-Forwarded-For", "203.0.113.8");
        Assert.That((await another.GetAsync(new Uri(fresh.Address, path))).StatusCode, Is.EqualTo(before));
    }

    private static HttpClient NewBrowser() =>
        new(new SocketsHttpHandler { AllowAutoRedirect = false, CookieContainer = new CookieContainer() });

    private Uri Address(string path) => new(Dashboard.Address, path);

    // From the dashboard to the provider, and the address to which that sends the browser back.
    private async Task<Uri> CallbackAsync(HttpClient browser, string path)
    {
        var begun = await browser.GetAsync(Address(path));
        Assert.That(begun.StatusCode, Is.EqualTo(HttpStatusCode.Redirect), await begun.Content.ReadAsStringAsync());
        var asked = await browser.GetAsync(begun.Headers.Location);
        Assert.That(asked.StatusCode, Is.EqualTo(HttpStatusCode.Redirect), $"{begun.Headers.Location}");
        return asked.Headers.Location!;
    }

    private async Task<HttpClient> LogInAsync()
    {
        var browser = NewBrowser();
        var answer = await browser.GetAsync(await CallbackAsync(browser, "/login/oidc"));
        Assert.That(
            (answer.StatusCode, answer.Headers.Location?.ToString()),
            Is.EqualTo((HttpStatusCode.Redirect, "/")),
            await answer.Content.ReadAsStringAsync()
        );
        return browser;
    }

    private async Task RefusedAsync(string says)
    {
        using var browser = NewBrowser();
        await RefusedAsync(browser, await CallbackAsync(browser, "/login/oidc"), says);
    }

    private async Task RefusedAsync(HttpClient browser, Uri callback, string says)
    {
        var answer = await browser.GetAsync(callback);
        var page = WebUtility.HtmlDecode(await answer.Content.ReadAsStringAsync());
        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.Unauthorized), page);
        Assert.That(page, Does.Contain(says));
        Assert.That((await browser.GetAsync(Address("/orders"))).StatusCode, Is.EqualTo(HttpStatusCode.Redirect));
    }
}
