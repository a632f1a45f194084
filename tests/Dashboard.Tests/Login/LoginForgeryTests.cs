using System.Net;
using System.Text.RegularExpressions;

namespace Orders.Dashboard.Tests.Login;

/// <summary>What another site, a neighbour on plain HTTP or the author of a link can make of the login.</summary>
internal sealed partial class LoginForgeryTests : DashboardFixture
{
    protected override IEnumerable<(string Name, string? Value)> Settings => [("Proxy:From", "127.0.0.1")];

    [OneTimeSetUp]
    public Task GivePasswordsAsync() => LoginClient.GivePasswordsAsync(TestSystem, "otto");

    [TestCase("https://evil.example")]
    [TestCase("null")]
    [TestCase("http://127.0.0.1:1")]
    public async Task A_login_that_another_origin_posts_is_refused(string origin)
    {
        using var browser = new LoginClient(Dashboard, "192.0.2.1");
        var answer = await browser.LogInAsync("otto", LoginClient.Password, ("Origin", origin));
        Assert.That((answer.Status, answer.Cookies), Is.EqualTo((400, "")));
    }

    [TestCase("same-site")]
    [TestCase("cross-site")]
    public async Task A_login_that_the_browser_says_comes_from_another_site_is_refused(string site)
    {
        using var browser = new LoginClient(Dashboard, "192.0.2.1");
        var answer = await browser.LogInAsync("otto", LoginClient.Password, ("Sec-Fetch-Site", site));
        Assert.That(answer.Status, Is.EqualTo(400));
    }

    [Test]
    public async Task The_own_origin_may_log_in()
    {
        using var browser = new LoginClient(Dashboard, "192.0.2.1");
        var origin = Dashboard.Address.GetLeftPart(UriPartial.Authority);
        Assert.That(
            (await browser.LogInAsync("otto", LoginClient.Password, ("Origin", origin))).Status,
            Is.EqualTo(302)
        );
    }

    [Test]
    public async Task Behind_TLS_the_cookie_is_bound_to_the_host()
    {
        using var browser = new LoginClient(Dashboard, "192.0.2.1");
        var answer = await browser.LogInAsync("otto", LoginClient.Password, ("X-Forwarded-Proto", "https"));
        Assert.That(
            answer.Cookies,
            Does.StartWith("__Host-orders-session=")
                .And.Contain("; path=/;")
                .And.Contain("; secure")
                .And.Contain("; httponly")
                .And.Not.Contain("domain")
        );
    }

    [Test]
    public async Task Below_a_path_the_cookie_is_secure_and_says_so()
    {
        using var browser = new LoginClient(Dashboard, "192.0.2.1");
        var answer = await browser.LogInAsync(
            "otto",
            LoginClient.Password,
            ("X-Forwarded-Proto", "https"),
            ("X-Forwarded-Prefix", "/ops")
        );
        Assert.That(
            answer.Cookies,
            Does.StartWith("__Secure-orders-session=").And.Contain("; path=/ops;").And.Contain("; secure")
        );
    }

    [Test]
    public async Task The_cookie_is_secure_although_the_proxy_does_not_say_that_it_speaks_TLS()
    {
        using var browser = new LoginClient(Dashboard, "192.0.2.1");
        var answer = await browser.LogInAsync(
            "otto",
            LoginClient.Password,
            ("Origin", $"https://127.0.0.1:{Dashboard.Address.Port}")
        );
        Assert.That(answer.Cookies, Does.StartWith("__Host-orders-session=").And.Contain("; secure"));
    }

    [Test]
    public async Task A_cookie_that_a_neighbour_planted_over_plain_HTTP_opens_nothing_behind_TLS()
    {
        using var browser = new LoginClient(Dashboard, "192.0.2.1");
        var answer = await browser.LogInAsync("otto", LoginClient.Password);
        var secret = Secret().Match(answer.Cookies).Groups[1].Value;
        Assert.That(await LookAsync($"orders-session={secret}", "http"), Is.EqualTo(HttpStatusCode.OK));
        Assert.That(await LookAsync($"orders-session={secret}", "https"), Is.EqualTo(HttpStatusCode.Redirect));
        Assert.That(await LookAsync($"__Host-orders-session={secret}", "https"), Is.EqualTo(HttpStatusCode.OK));
    }

    [Test]
    public async Task A_link_cannot_make_the_dashboard_say_that_something_was_done()
    {
        using var browser = new LoginClient(Dashboard, "192.0.2.1");
        await browser.LogInAsync("otto", LoginClient.Password);
        foreach (var proof in (string[])["", "&proof=", "&proof=00", $"&proof={new string('0', 64)}"])
            Assert.That(
                await browser.ReadAsync($"/alerts?done=Call+0900+and+say+your+password{proof}"),
                Does.Not.Contain("say your password")
            );

        var token = Token().Match(await browser.ReadAsync("/alerts")).Groups[1].Value;
        var back = await browser.PostAsync("/alerts/test", ("_token", token));
        Assert.That(back, Does.StartWith("/alerts?done="));
        var said = Uri.UnescapeDataString(back["/alerts?done=".Length..back.IndexOf('&', StringComparison.Ordinal)]);
        Assert.That(WebUtility.HtmlDecode(await browser.ReadAsync(back)), Does.Contain(said), "what was really done");

        using var other = new LoginClient(Dashboard, "192.0.2.1");
        await other.LogInAsync("otto", LoginClient.Password);
        Assert.That(
            WebUtility.HtmlDecode(await other.ReadAsync(back)),
            Does.Not.Contain($">{said}<"),
            "in another session"
        );
    }

    private async Task<HttpStatusCode> LookAsync(string cookie, string scheme)
    {
        using var client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false });
        client.DefaultRequestHeaders.Add("X-Forwarded-For", "192.0.2.1");
        client.DefaultRequestHeaders.Add("X-Forwarded-Proto", scheme);
        client.DefaultRequestHeaders.Add("Cookie", cookie);
        using var answer = await client.GetAsync(new Uri(Dashboard.Address, "/orders"));
        return answer.StatusCode;
    }

    [GeneratedRegex("session=([0-9a-f]{64})")]
    private static partial Regex Secret();

    [GeneratedRegex("name=\"_token\" value=\"([0-9a-f]+)\"")]
    private static partial Regex Token();
}
