using System.Globalization;
using System.Security.Claims;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Authentication;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;
using Orders.Dashboard.Login;
using Orders.Dashboard.Proxy;
using Orders.Dashboard.Viewing;
using QueueWorkers.Operators;
using QueueWorkers.Operators.Accounts;

namespace Orders.Dashboard.Oidc;

/// <summary>Makes a session of what the provider says, or a sentence for the operator.</summary>
internal sealed partial class OidcLogin(
    OperatorSessions sessions,
    KnownSessions known,
    OidcOptions options,
    OidcLimits limits,
    ILogger<OidcLogin> log
)
{
    private const string OfSubject = "sub";

    /// <summary>Takes a place at the provider until the request ends, or answers 429.</summary>
    /// <returns>Whether the login may go on; otherwise the answer is written.</returns>
    public async Task<bool> TryEnterAsync(HttpContext http)
    {
        if (limits.TryEnter(ClientAddress.Of(http), out var wait) is { } place)
        {
            http.Response.RegisterForDispose(place);
            return true;
        }

        http.Response.Headers.RetryAfter = Math.Ceiling(wait.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        await Page.Of<LoginPage>(
                new
                {
                    Return = "/",
                    Refusal = $"Too many logins. Try again in {Texts.Duration(wait)}; sessions and keys go on.",
                },
                StatusCodes.Status429TooManyRequests
            )
            .ExecuteAsync(http);
        return false;
    }

    /// <summary>Begins the session of an operator whom the provider has let in.</summary>
    public async Task BeginAsync(TicketReceivedContext context)
    {
        context.HandleResponse();
        var principal = context.Principal ?? new ClaimsPrincipal();
        if (RoleOf(principal) is not { } role)
        {
            await AnswerAsync(
                context.HttpContext,
                $"The identity provider knows you, but gives you no role here: the claim '{options.RoleClaim}' has none of the expected values. Ask its administrator."
            );
            return;
        }

        var name = principal.FindFirstValue(options.NameClaim)?.ToLowerInvariant() ?? "";
        if (principal.FindFirst(OfSubject) is not { } subject || !Names().IsMatch(name))
        {
            await AnswerAsync(
                context.HttpContext,
                $"The identity provider gives no usable name: expected 1 to 64 characters out of a–z, 0–9, '.', '_', '-' and '@' in the claim '{options.NameClaim}'. Ask its administrator."
            );
            return;
        }

        try
        {
            var (secret, account) = await sessions.BeginExternalAsync(
                $"{subject.Issuer} {subject.Value}",
                name,
                role,
                context.HttpContext.RequestAborted
            );
            // Older sessions may have ended: the role is another one.
            known.ForgetAllOf(account);
            await LoginRoutes.BeginAsync(context.HttpContext, secret, sessions, known);
            context.Response.Redirect(LoginRoutes.Local(context.ReturnUri));
        }
        catch (AccountRefusedException refused)
        {
            await AnswerAsync(context.HttpContext, refused.Message);
        }
    }

    /// <summary>Says why an answer of the provider cannot be used.</summary>
    public Task RefuseAsync(RemoteFailureContext context)
    {
        context.HandleResponse();
        return RefuseAsync(context.HttpContext, context.Failure);
    }

    /// <summary>Says why the provider cannot be asked.</summary>
    public Task RefuseAsync(HttpContext http, Exception? failure)
    {
        if (StackOf(failure) is { } stack)
            DashboardLog.ProviderLoginFailed(log, stack);
        return AnswerAsync(http, Sentence(failure), failure?.GetType().Name);
    }

    /// <summary>
    /// Types and stack of a fault that neither the protocol nor the network explains: it may be a defect of ours. The
    /// texts of faults are left out: they may quote what the provider or the browser has sent.
    /// </summary>
    /// <returns>The outermost fault first; null when the protocol or the network explains it.</returns>
    public static string? StackOf(Exception? failure)
    {
        if (failure is null || IsAway(failure) || IsOfProtocol(failure))
            return null;
        var parts = new List<string>();
        for (var fault = failure; fault is not null; fault = fault.InnerException)
            parts.Add($"{fault.GetType().FullName}\n{fault.StackTrace}");
        return string.Join('\n', parts);
    }

    /// <summary>
    /// Whether the beginning of a login failed because of the provider: it does not answer, or answers with what it
    /// should not, such as the error page of a proxy in front of it.
    /// </summary>
    public static bool IsOfProvider(Exception failure) => IsAway(failure) || IsUnusable(failure);

    private static bool IsUnusable(Exception? failure) =>
        failure is InvalidOperationException or OpenIdConnectProtocolException or ArgumentException or JsonException;

    private static bool IsOfProtocol(Exception failure) =>
        failure
            is OpenIdConnectProtocolException
                or SecurityTokenException
                or JsonException
                // The handler's own: a wrong state, or no cookie of it.
                or AuthenticationFailureException { InnerException: null }
        || (failure.InnerException is { } inner && IsOfProtocol(inner));

    private static bool IsAway(Exception? failure) =>
        failure is HttpRequestException or IOException or TaskCanceledException
        || (failure is not null && IsAway(failure.InnerException));

    private async Task AnswerAsync(HttpContext http, string refusal, string? fault = null)
    {
        // Of a fault only its type: its text may quote what the provider or the browser has sent.
        DashboardLog.ProviderLoginRefused(log, fault is null ? refusal : $"{refusal} ({fault})");
        await Page.Of<LoginPage>(new { Return = "/", Refusal = refusal }, StatusCodes.Status401Unauthorized)
            .ExecuteAsync(http);
    }

    private OperatorRole? RoleOf(ClaimsPrincipal principal)
    {
        var roles = options.RoleOf;
        return principal
            .FindAll(options.RoleClaim)
            .Select(claim => roles.TryGetValue(claim.Value, out var role) ? role : (OperatorRole?)null)
            .Max();
    }

    // What the provider or the browser has sent is in no sentence: anybody can send it.
    private static string Sentence(Exception? failure) =>
        IsAway(failure) ? "The identity provider does not answer. Try again later, or log in with a password."
        : failure?.InnerException is { } inner && failure is not SecurityTokenException ? Sentence(inner)
        : failure switch
        {
            SecurityTokenInvalidAudienceException =>
                "The identity provider's answer is for another application. Compare Oidc__ClientId with its settings.",
            SecurityTokenInvalidIssuerException =>
                "The answer is of another identity provider. Compare Oidc__Authority with its issuer.",
            SecurityTokenExpiredException or SecurityTokenInvalidLifetimeException =>
                "The identity provider's answer has expired. Log in again; if it stays, compare the clocks.",
            SecurityTokenException => "The signature of the identity provider's answer is wrong. Log in again.",
            OpenIdConnectProtocolInvalidNonceException =>
                "The identity provider's answer belongs to another login. Log in again.",
            _ when IsUnusable(failure) =>
                "The identity provider gives an answer that cannot be used. Try again later, or log in with a password.",
            _ =>
                "The login was begun in another browser, took too long, or was refused by the identity provider. Log in again.",
        };

    [GeneratedRegex("^[a-z0-9][a-z0-9._@-]{0,63}\\z")]
    private static partial Regex Names();
}
