using Orders.Dashboard.Auth;
using Orders.Dashboard.Viewing;
using QueueWorkers.Operators;

namespace Orders.Dashboard.Login;

/// <summary>In and out.</summary>
internal static class LoginRoutes
{
    /// <summary>The longest address to which a login goes back: escaped, it is three times as long.</summary>
    public const int LongestReturn = 2000;

    public static void MapLogin(this IEndpointRouteBuilder app)
    {
        app.MapGet(
                "/login",
                (HttpContext http) => Page.Of<LoginPage>(new { Return = Local(http.Request.Query["return"]) })
            )
            .AllowAnonymous();
        app.MapPost("/login", LogInAsync).AllowAnonymous().DisableAntiforgery();
    }

    /// <summary>Ends the session; among the pages, because its form carries a token like any other.</summary>
    public static void Map(RouteGroupBuilder pages) =>
        pages
            .MapPost(
                "/logout",
                async (HttpContext http, OperatorSessions sessions, KnownSessions known) =>
                {
                    var secret = SessionAuthentication.SecretOf(http)!;
                    known.Forget(secret);
                    await sessions.EndAsync(secret, http.RequestAborted);
                    SessionAuthentication.Remember(http, null);
                    return Results.Redirect("/login");
                }
            )
            .Needs(OperatorRole.Viewer);

    private static async Task<IResult> LogInAsync(HttpContext http, OperatorSessions sessions, AuditLog audit)
    {
        if (FormTokens.IsFromElsewhere(http.Request))
            return Results.BadRequest();
        if (!Form.IsIn(http.Request))
            return Results.StatusCode(StatusCodes.Status415UnsupportedMediaType);
        var form = await http.Request.ReadFormAsync(http.RequestAborted);
        var (name, password, back) = (
            form["name"].ToString(),
            form["password"].ToString(),
            Local(http.Request.Query["return"])
        );
        if (name.Length is 0 or > 100 || password.Length is 0 or > 1000)
            return Page.Of<LoginPage>(
                new { Return = back, Refusal = "Name and password are required." },
                StatusCodes.Status400BadRequest
            );

        var (secret, lockedUntil) = await sessions.BeginAsync(name, password, http.RequestAborted);
        if (secret is null)
        {
            await audit.WriteAsync(
                new AuditEntry
                {
                    Who = name,
                    Role = "?",
                    Action = "log in",
                    Result = lockedUntil is null ? "wrong name or password" : "locked out",
                },
                http.RequestAborted
            );
            var refusal = lockedUntil is { } until
                ? $"Locked after {OperatorSessions.MostTries} wrong passwords. Try again after {Texts.Utc(until)}."
                : "Name or password is wrong.";
            return Page.Of<LoginPage>(
                new
                {
                    Return = back,
                    Name = name,
                    Refusal = refusal,
                },
                lockedUntil is null ? StatusCodes.Status401Unauthorized : StatusCodes.Status429TooManyRequests
            );
        }

        SessionAuthentication.Remember(http, secret);
        return Results.Redirect(back);
    }

    // Only to ourselves, in visible ASCII, as our own addresses are: "//elsewhere" and "/\elsewhere" are other hosts to
    // a browser, which drops tabs and line ends before it looks.
    private static string Local(string? address) =>
        address is ['/', not ('/' or '\\'), ..] and { Length: <= LongestReturn }
        && address.AsSpan().IndexOfAnyExceptInRange('!', '~') < 0
            ? address
            : "/";
}
