using Microsoft.AspNetCore.Http;
using Orders.Dashboard.Login;

namespace Orders.Dashboard.Tests.Login;

/// <summary>What is counted of logins has room for the next one, and the cookie that was given is found again.</summary>
internal sealed class LoginLimitsTests
{
    [Test]
    public void Wrong_passwords_from_more_addresses_than_are_counted_keep_nobody_out()
    {
        var limits = new LoginLimits(new LoginOptions(), TimeProvider.System);
        Assert.That(limits.TryBegin("lena", "192.0.2.1"), Is.Null);
        for (var i = 0; i < 25_000; i++)
        {
            Assert.That(limits.TryBegin("anna", $"address {i}"), Is.Null);
            limits.End("anna", $"address {i}", right: false);
        }

        Assert.That(limits.End("lena", "192.0.2.1", right: true), Is.EqualTo(LoginLock.None), "one that was under way");
        Assert.That(limits.IsFamiliar("lena", "192.0.2.1"), Is.True);
    }

    // The proxy ends TLS, has a prefix, and does not say that the browser came by TLS.
    [TestCase("/orders")]
    [TestCase("")]
    public void The_cookie_that_was_given_behind_a_silent_proxy_is_found_again(string prefix)
    {
        var login = new DefaultHttpContext { Request = { PathBase = prefix, Scheme = "http" } };
        login.Request.Headers.Origin = "https://shop.example";
        SessionCookie.Remember(login, "secret");
        var next = new DefaultHttpContext { Request = { PathBase = prefix, Scheme = "http" } };
        next.Request.Headers.Cookie = login.Response.Headers.SetCookie.ToString().Split(';')[0];
        Assert.That(SessionCookie.SecretOf(next), Is.EqualTo("secret"));
    }
}
