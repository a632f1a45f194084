using Orders.Producer.Api.Auth;
using Orders.Producer.Api.Docs;
using Orders.Producer.Api.Limits;

namespace Orders.Producer.Api.Routing;

/// <summary>What every endpoint says about itself.</summary>
internal static class RouteDescriptions
{
    /// <summary>The handler of an endpoint.</summary>
    public static T Of<T>(this WebApplication app)
        where T : notnull => app.Services.GetRequiredService<T>();

    /// <summary>The scope that an endpoint asks for.</summary>
    public static RouteHandlerBuilder Needs(this RouteHandlerBuilder route, Scopes scope) =>
        route.WithMetadata(new RequiredScope(scope));

    /// <summary>Says that an endpoint reads a body into memory, and how large one it takes.</summary>
    public static RouteHandlerBuilder Reads(this RouteHandlerBuilder route, int largestBody) =>
        route.WithMetadata(new LargestBody(largestBody));

    /// <summary>What /docs says of an endpoint.</summary>
    public static RouteHandlerBuilder Describe(
        this RouteHandlerBuilder route,
        string name,
        string summary,
        string description,
        string tag = "Orders"
    ) => route.WithName(name).WithSummary(summary).WithDescription(description).WithTags(tag);

    /// <summary>The statuses of an endpoint's problems.</summary>
    public static RouteHandlerBuilder Refuses(this RouteHandlerBuilder route, params ReadOnlySpan<int> statuses)
    {
        foreach (var status in statuses)
            route.Produces<ProblemAnswer>(status, Problems.Problem.ContentType);
        return route;
    }
}
