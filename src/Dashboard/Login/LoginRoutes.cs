using System.Globalization;
using Orders.Dashboard.Auth;
using Orders.Dashboard.Oidc;
using Orders.Dashboard.Proxy;
using Orders.Dashboard.Viewing;
using QueueWorkers.Hosting;
using QueueWorkers.Operators;
using QueueWorkers.Operators.Sessions;

namespace Orders.Dashboard.Login;

/// <summary>In and out.</summary>
internal static class LoginRoutes
{
    /// <summary>The longest address to which a login goes back: escaped, it is three times as long.</summary>
    public const int LongestReturn = 2000;

    /// <summary>Adds what the login and its sessions stand on.</summary>
    /// <exception cref="QueueWorkers.Hosting.InvalidConfigurationException">With every problem found.</exception>
    public static IServiceCollection AddLogin(this IServiceCollection services, IConfiguration configuration)
    {
        LoginOptions? logins = null;
        OperatorSessionOptions? sessions = null;
        new ConfigurationProblems()
            .Collect(() => logins = LoginOptions.Read(configuration))
            .Collect(() => sessions = OperatorSessionOptions.Read(configuration))
            .ThrowIfAny();
        return services
            .AddSingleton(logins!)
            .AddSingleton(sessions!)
            .AddSingleton<OperatorSessions>()
            .AddSingleton<KnownSessions>()
            .AddSingleton<LoginLimits>()
            .AddSingleton<LoginQueue>()
            .AddSingleton<PasswordLogin>();
    }

    public static void MapLogin(this IEndpointRouteBuilder app)
    {
        app.MapGet(
                "/login",
                (HttpContext http) => Page.Of<LoginPage>(new { Return = Local(http.Request.Query["return"]) })
            )
            .AllowAnonymous();
        app.MapOidc();
        app.MapPost("/login", LogInAsync).AllowAnonymous().DisableAntiforgery();
    }

    /// <summary>Ends the session; among the pages, because its form carries a token like any other.</summary>
    public static void Map(RouteGroupBuilder pages) =>
        pages
            .MapPost(
                "/logout",
                async (HttpContext http, OperatorSessions sessions, KnownSessions known) =>
                {
                    var secret = SessionCookie.SecretOf(http)!;
                    await sessions.EndAsync(secret, http.RequestAborted);
                    known.Forget(secret);
                    SessionCookie.Forget(http);
                    return Results.Redirect("/login");
                }
            )
            .Needs(OperatorRole.Viewer);

    /// <summary>
    /// Gives the browser its new session, and ends the one that it had: nobody could log out of that any more.
    /// </summary>
    public static async Task BeginAsync(HttpContext http, string secret, OperatorSessions sessions, KnownSessions known)
    {
        if (SessionCookie.SecretOf(http) is { } old)
        {
            await sessions.EndAsync(old, http.RequestAborted);
            known.Forget(old);
        }

        SessionCookie.Remember(http, secret);
    }

    private static async Task<IResult> LogInAsync(
        HttpContext http,
        PasswordLogin login,
        OperatorSessions sessions,
        KnownSessions known
    )
    {
        if (FormTokens.IsFromElsewhere(http.Request))
            return Results.BadRequest();
        if (!Form.IsIn(http.Request))
            return Results.StatusCode(StatusCodes.Status415UnsupportedMediaType);
        var back = Local(http.Request.Query["return"]);
        var form = await http.Request.ReadFormAsync(http.RequestAborted);
        var (name, password) = (form["name"].ToString(), form["password"].ToString());
        if (name.Length is 0 or > 100 || password.Length is 0 or > 1000)
            return Page.Of<LoginPage>(
                new { Return = back, Refusal = "Name and password are required." },
                StatusCodes.Status400BadRequest
            );

        var (secret, retryAfter) = await login.TryAsync(name, password, ClientAddress.Of(http), http.RequestAborted);
        if (secret is not null)
        {
            await BeginAsync(http, secret, sessions, known);
            return Results.Redirect(back);
        }

        if (retryAfter is { } wait)
            http.Response.Headers.RetryAfter = Math.Ceiling(wait.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        return Page.Of<LoginPage>(
            new
            {
                Return = back,
                Name = name,
                Refusal = retryAfter is null
                    ? "Name or password is wrong."
                    : $"Too many logins. Try again in {Texts.Duration(retryAfter.Value)}; sessions and keys go on.",
            },
            retryAfter is null ? StatusCodes.Status401Unauthorized : StatusCodes.Status429TooManyRequests
        );
    }

    // Only to ourselves, in visible ASCII, as our own addresses are: "//elsewhere" and "/\elsewhere" are other hosts to
    // a browser, which drops tabs and line ends before it looks.
    public static string Local(string? address) =>
        address is ['/', not ('/' or '\\'), ..] and { Length: <= LongestReturn }
        && address.AsSpan().IndexOfAnyExceptInRange('!', '~') < 0
            ? address
            : "/";
}
