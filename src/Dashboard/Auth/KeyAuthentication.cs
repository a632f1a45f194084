using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;
using QueueWorkers.Operators;

namespace Orders.Dashboard.Auth;

/// <summary>
/// An operator's key in <c>Authorization: Bearer op_…</c>, for scripts and <c>./dev</c>. Missing, malformed, unknown
/// and revoked keys get the same 401; a key is found by its hash, so there is no comparison whose time could tell.
/// Asked of the database each time: a revoked key is dead at once.
/// </summary>
internal sealed class KeyAuthentication(
    IOptionsMonitor<AuthenticationSchemeOptions> options,
    ILoggerFactory logger,
    UrlEncoder encoder,
    KeyLookup keys
) : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    /// <summary>The scheme's name.</summary>
    public new const string Scheme = "key";

    private const string Bearer = "Bearer ";

    /// <summary>The claims of an operator, however it was recognised.</summary>
    public static ClaimsPrincipal PrincipalOf(OperatorAccount known, string scheme) =>
        new(
            new ClaimsIdentity(
                [new Claim(ClaimTypes.Name, known.Name), new Claim(ClaimTypes.Role, known.Role.ToString())],
                scheme
            )
        );

    /// <inheritdoc />
    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (
            Request.Headers.Authorization is not [{ } header]
            || !header.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase)
        )
            return AuthenticateResult.NoResult();
        var key = header[Bearer.Length..];
        return OperatorKey.IsWellFormed(key) && await keys.FindAsync(key, Context.RequestAborted) is { } known
            ? AuthenticateResult.Success(new AuthenticationTicket(PrincipalOf(known, Scheme), Scheme))
            : AuthenticateResult.Fail("There is no such key.");
    }

    /// <inheritdoc />
    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        Response.Headers.WWWAuthenticate = "Bearer realm=\"orders-operators\"";
        Response.StatusCode = StatusCodes.Status401Unauthorized;
        return Task.CompletedTask;
    }
}
