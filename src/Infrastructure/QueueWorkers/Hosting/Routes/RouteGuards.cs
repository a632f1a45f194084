using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace QueueWorkers.Hosting.Routes;

/// <summary>
/// What each route asks of its caller: a named policy, an <see cref="IRouteGuard"/>, or nothing on purpose. A route
/// that says none of these is closed to everybody.
/// </summary>
public static partial class RouteGuards
{
    /// <summary>The guard of a route that is open on purpose.</summary>
    public const string Open = "open";

    /// <summary>The guard of a route; null when it has none. A policy without a name is none.</summary>
    public static string? Of(Endpoint endpoint)
    {
        if (endpoint.Metadata.GetMetadata<IAllowAnonymous>() is not null)
            return Open;
        var guards = endpoint
            .Metadata.GetOrderedMetadata<IRouteGuard>()
            .Select(guard => guard.Guard)
            .Concat(endpoint.Metadata.GetOrderedMetadata<IAuthorizeData>().Select(data => data.Policy ?? ""))
            .Where(name => name != "")
            .Distinct();
        return string.Join(" and ", guards) is { Length: > 0 } names ? names : null;
    }

    /// <summary>
    /// Refuses requests to routes without a guard with 403. Belongs directly behind the routing. What routing itself
    /// answers, such as 405, is no route.
    /// </summary>
    public static IApplicationBuilder UseRouteGuards(this IApplicationBuilder app)
    {
        var log = app.ApplicationServices.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(RouteGuards));
        return app.Use(
            (context, next) =>
            {
                if (context.GetEndpoint() is not RouteEndpoint route || Of(route) is not null)
                    return next(context);
                Unguarded(log, route.DisplayName);
                context.Response.StatusCode = StatusCodes.Status403Forbidden;
                return Task.CompletedTask;
            }
        );
    }

    [LoggerMessage(
        1102,
        LogLevel.Error,
        "Route has no guard and is closed to everybody; give it a role, a scope or AllowAnonymous(): {Route}"
    )]
    private static partial void Unguarded(ILogger logger, string? route);
}
