using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;
using Orders.Dashboard.Auth;
using Orders.Dashboard.Viewing;
using QueueWorkers.Hosting.Routes;
using QueueWorkers.Operators;

namespace Orders.Dashboard.Login;

/// <summary>
/// Recognises the browser of an operator who has logged in. Opens pages only: the operator API takes keys.
/// </summary>
internal sealed class SessionAuthentication(
    IOptionsMonitor<AuthenticationSchemeOptions> options,
    ILoggerFactory logger,
    UrlEncoder encoder,
    OperatorSessions sessions,
    KnownSessions known
) : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    /// <summary>The scheme's name.</summary>
    public new const string Scheme = "session";

    /// <inheritdoc />
    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (SessionCookie.SecretOf(Context) is not { Length: > 0 } secret)
            return AuthenticateResult.NoResult();
        // A page that somebody opens prolongs the session, which only the database does.
        var found = await known.FindAsync(
            secret,
            token => sessions.FindAsync(secret, IsActive(Request), token),
            !HttpMethods.IsGet(Request.Method) ? null
                : IsActive(Request) ? TimeSpan.Zero
                : KnownSessions.Fresh,
            Context.RequestAborted
        );
        return found is null
            ? AuthenticateResult.Fail("The session has ended.")
            : AuthenticateResult.Success(
                new AuthenticationTicket(KeyAuthentication.PrincipalOf(found, Scheme), Scheme)
            );
    }

    // What a page that is left open fetches by itself keeps no session alive.
    private static bool IsActive(HttpRequest request) =>
        !request.Headers.ContainsKey("HX-Request")
        && !request.Path.StartsWithSegments("/live", StringComparison.Ordinal);

    /// <inheritdoc />
    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        if (
            Request.Headers.ContainsKey("HX-Request")
            || Request.Path.StartsWithSegments("/live", StringComparison.Ordinal)
        )
        {
            // A fragment or a stream has no use for a login page: the answer is plain, and the next full page asks.
            Response.StatusCode = StatusCodes.Status401Unauthorized;
            return Task.CompletedTask;
        }

        var back = HttpMethods.IsGet(Request.Method) ? Request.Path + Request.QueryString : "/";
        Response.Redirect(Page.Address("/login", ("return", back.Length <= LoginRoutes.LongestReturn ? back : "/")));
        return Task.CompletedTask;
    }

    /// <inheritdoc />
    protected override Task HandleForbiddenAsync(AuthenticationProperties properties) =>
        Page.Of<Layout.Message>(
                new { Title = "Your role does not allow this", Detail = Refusal(Context) },
                StatusCodes.Status403Forbidden
            )
            .ExecuteAsync(Context);

    // Who only looked has changed nothing, and is not in the record; see AuditedRefusals.
    private static string Refusal(HttpContext http)
    {
        var needs = http.GetEndpoint() is { } endpoint ? RouteGuards.Of(endpoint) : null;
        var role = Actor.Of(http).Role.ToString().ToLowerInvariant();
        return $"Needs the role {needs ?? Policies.Admin}; yours is {role}. Ask an admin for it.{(HttpMethods.IsGet(http.Request.Method) ? "" : " Nothing was changed; the attempt is in the audit record.")}";
    }
}
