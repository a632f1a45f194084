using System.Collections.Concurrent;
using System.Data.Common;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;
using Orders.Dashboard.Auth;
using Orders.Dashboard.Viewing;
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

    private const string Cookie = "orders-session";

    /// <summary>The secret that the request's browser keeps; null without one.</summary>
    public static string? SecretOf(HttpContext http) => http.Request.Cookies[Cookie];

    /// <summary>Gives the browser a secret to keep, or takes it away.</summary>
    public static void Remember(HttpContext http, string? secret) =>
        http.Response.Cookies.Append(
            Cookie,
            secret ?? "",
            new CookieOptions
            {
                HttpOnly = true,
                SameSite = SameSiteMode.Lax,
                Secure = http.Request.IsHttps,
                // Not to what else the site has, when the dashboard is below a path of it.
                Path = http.Request.PathBase.HasValue ? http.Request.PathBase.ToUriComponent() : "/",
                MaxAge = secret is null ? TimeSpan.Zero : OperatorSessions.Lifetime,
                IsEssential = true,
            }
        );

    /// <inheritdoc />
    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (SecretOf(Context) is not { Length: > 0 } secret)
            return AuthenticateResult.NoResult();
        var found = await known.FindAsync(
            secret,
            token => sessions.FindAsync(secret, token),
            HttpMethods.IsGet(Request.Method),
            Context.RequestAborted
        );
        return found is null
            ? AuthenticateResult.Fail("The session has ended.")
            : AuthenticateResult.Success(
                new AuthenticationTicket(KeyAuthentication.PrincipalOf(found, Scheme), Scheme)
            );
    }

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
                new
                {
                    Title = "Your role does not allow this",
                    Detail = $"You are {Actor.Of(Context).Role.ToString().ToLowerInvariant()}. Ask somebody with a higher role; the attempt is in the audit record.",
                },
                StatusCodes.Status403Forbidden
            )
            .ExecuteAsync(Context);
}

/// <summary>
/// Sessions seen in the last seconds, so that not every fragment asks the database who is looking; and while the
/// database is away, those seen in the last minutes may go on looking:
/// the page that explains an outage must not be lost to it. Changing anything always asks.
/// </summary>
internal sealed class KnownSessions(TimeProvider time)
{
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Outage = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);
    private const int Most = 1000;

    private readonly ConcurrentDictionary<string, (OperatorAccount Operator, DateTimeOffset At)> _seen = new();

    public async Task<OperatorAccount?> FindAsync(
        string secret,
        Func<CancellationToken, Task<OperatorAccount?>> ask,
        bool looksOnly,
        CancellationToken cancellationToken
    )
    {
        var seen = _seen.TryGetValue(secret, out var entry);
        var age = time.GetUtcNow() - entry.At;
        if (looksOnly && seen && age < Fresh)
            return entry.Operator;
        OperatorAccount? found;
        try
        {
            found = await ask(cancellationToken)
                .WaitAsync(seen ? Patience : Timeout.InfiniteTimeSpan, cancellationToken);
        }
        catch (Exception away) when (away is DbException or TimeoutException && looksOnly && seen && age < Outage)
        {
            return entry.Operator;
        }

        if (found is null)
            _seen.TryRemove(secret, out _);
        else
        {
            if (_seen.Count >= Most)
                _seen.Clear();
            _seen[secret] = (found, time.GetUtcNow());
        }

        return found;
    }

    public void Forget(string secret) => _seen.TryRemove(secret, out _);
}
