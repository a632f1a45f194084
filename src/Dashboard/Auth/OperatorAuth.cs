using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using QueueWorkers.Operators;

namespace Orders.Dashboard.Auth;

/// <summary>
/// Who may do what: keys for the operator API, three policies, and nothing for routes that say nothing.
/// </summary>
internal static class OperatorAuth
{
    /// <summary>Adds it.</summary>
    public static IServiceCollection AddOperatorAuth(this IServiceCollection services)
    {
        services
            .AddSingleton<OperatorStore>()
            .AddSingleton<UnknownCredentialLane>()
            .AddSingleton(provider => new KeyLookup(
                provider.GetRequiredService<OperatorStore>(),
                provider.GetRequiredService<UnknownCredentialLane>()
            ))
            .AddSingleton<AuditLog>()
            .AddSingleton<IAuthorizationMiddlewareResultHandler, AuditedRefusals>();
        services
            .AddAuthentication(KeyAuthentication.Scheme)
            .AddScheme<AuthenticationSchemeOptions, KeyAuthentication>(KeyAuthentication.Scheme, null);
        services
            .AddAuthorizationBuilder()
            .AddPolicy(Policies.Viewer, policy => policy.RequireRole(AtLeast(OperatorRole.Viewer)))
            .AddPolicy(Policies.Operator, policy => policy.RequireRole(AtLeast(OperatorRole.Operator)))
            .AddPolicy(Policies.Admin, policy => policy.RequireRole(AtLeast(OperatorRole.Admin)))
            // A route that forgot its policy is closed to everybody; an address that does not exist, and what routing
            // itself answers (405, 415), is told only to those who are somebody.
            .SetFallbackPolicy(
                new AuthorizationPolicyBuilder()
                    .RequireAuthenticatedUser()
                    .RequireAssertion(request =>
                        request.Resource is HttpContext http && http.GetEndpoint() is not RouteEndpoint
                    )
                    .Build()
            );
        return services;
    }

    /// <summary>Asks for at least a role.</summary>
    public static TBuilder Needs<TBuilder>(this TBuilder endpoint, OperatorRole role)
        where TBuilder : IEndpointConventionBuilder => endpoint.RequireAuthorization(Policies.Of(role));

    private static IEnumerable<string> AtLeast(OperatorRole least) =>
        Enum.GetValues<OperatorRole>().Where(role => role >= least).Select(role => role.ToString());
}
