using Orders.Dashboard.Auth;
using QueueWorkers.Operators;

namespace Orders.Dashboard.Api;

/// <summary>Who the key of the caller belongs to.</summary>
internal static class OperatorsApi
{
    public static void Map(RouteGroupBuilder api) =>
        api.MapGet("/me", (HttpContext context) => Actor.Of(context)).Needs(OperatorRole.Viewer);
}
