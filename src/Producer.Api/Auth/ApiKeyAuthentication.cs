using Orders.Infrastructure;
using Orders.Producer.Api.Problems;

namespace Orders.Producer.Api.Auth;

/// <summary>
/// Lets only those in whose API key has the endpoint's scope. Missing, malformed, unknown, expired and revoked keys get
/// the same answer, so that nobody can find out which it is; a key is found by its hash, so there is no comparison
/// whose time could tell.
/// </summary>
internal sealed class ApiKeyAuthentication(RequestDelegate next, ApiKeyCache keys)
{
    private const string Scheme = "Bearer ";

    public Task InvokeAsync(HttpContext context)
    {
        if (context.GetEndpoint()?.Metadata.GetMetadata<RequiredScope>() is not { } required)
            return next(context);

        var key = KeyIn(context.Request);
        if (!ApiKeyHash.IsWellFormed(key))
            return RefuseAsync(context);

        var caller = keys.FindAsync(key);
        return caller.IsCompletedSuccessfully
            ? AdmitAsync(context, caller.Result, required)
            : AwaitAsync(context, caller, required);
    }

    private async Task AwaitAsync(HttpContext context, ValueTask<Caller?> caller, RequiredScope required) =>
        await AdmitAsync(context, await caller, required);

    private Task AdmitAsync(HttpContext context, Caller? caller, RequiredScope required)
    {
        if (caller is null)
            return RefuseAsync(context);
        if ((caller.Scopes & required.Scope) == 0)
            return new Problem(
                ProblemKinds.MissingScope,
                $"This needs a key with the scope {required.Name}."
            ).AnswerAsync(context);
        context.Features.Set(caller);
        return next(context);
    }

    private static Task RefuseAsync(HttpContext context)
    {
        context.Response.Headers.WWWAuthenticate = "Bearer realm=\"orders\"";
        return new Problem(
            ProblemKinds.Unauthorized,
            "Send the header Authorization: Bearer, followed by a valid API key."
        ).AnswerAsync(context);
    }

    /// <summary>The key that a request shows; empty without one.</summary>
    public static ReadOnlySpan<char> KeyIn(HttpRequest request) =>
        request.Headers.Authorization is [{ } value] && value.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
            ? value.AsSpan(Scheme.Length)
            : default;
}
