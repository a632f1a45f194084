using QueueWorkers.Operators;

namespace Orders.Dashboard.Login;

/// <summary>
/// The cookie that keeps a session's secret. Behind TLS its name begins with <c>__Host-</c>, or below a path with
/// <c>__Secure-</c>: a browser then takes it over TLS only, and nobody on a neighbouring host can plant one.
/// </summary>
internal static class SessionCookie
{
    private const string Plain = "orders-session";
    private const string OfHost = $"__Host-{Plain}";
    private const string OfPath = $"__Secure-{Plain}";

    /// <summary>The secret that the request's browser keeps; null without one.</summary>
    public static string? SecretOf(HttpContext http)
    {
        var cookies = http.Request.Cookies;
        var bound = cookies[http.Request.PathBase.HasValue ? OfPath : OfHost];
        return http.Request.IsHttps ? bound : bound ?? cookies[Plain];
    }

    /// <summary>Gives the browser a secret to keep.</summary>
    public static void Remember(HttpContext http, string secret) =>
        http.Response.Cookies.Append(
            !IsSecure(http.Request) ? Plain
                : http.Request.PathBase.HasValue ? OfPath
                : OfHost,
            secret,
            Options(http, IsSecure(http.Request), OperatorSessions.Lifetime)
        );

    /// <summary>Takes the secret away.</summary>
    public static void Forget(HttpContext http)
    {
        foreach (var name in (string[])[Plain, OfHost, OfPath])
        {
            if (http.Request.Cookies.ContainsKey(name))
                http.Response.Cookies.Append(name, "", Options(http, name != Plain, TimeSpan.Zero));
        }
    }

    // A proxy that ends TLS and is not configured, or does not say so, is seen by what the browser says of itself.
    private static bool IsSecure(HttpRequest request) =>
        request.IsHttps || request.Headers.Origin.ToString().StartsWith("https://", StringComparison.OrdinalIgnoreCase);

    private static CookieOptions Options(HttpContext http, bool secure, TimeSpan age) =>
        new()
        {
            HttpOnly = true,
            SameSite = SameSiteMode.Lax,
            Secure = secure,
            // Not to what else the site has, when the dashboard is below a path of it.
            Path = http.Request.PathBase.HasValue ? http.Request.PathBase.ToUriComponent() : "/",
            MaxAge = age,
            IsEssential = true,
        };
}
