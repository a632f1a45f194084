using Orders.Dashboard.Auth;
using QueueWorkers.Operators;

namespace Orders.Dashboard.Api;

/// <summary>Operators: for now, who the key belongs to.</summary>
internal static class OperatorsApi
{
    public static void Map(RouteGroupBuilder api) =>
        api.MapGet("/me", (HttpContext context) => Actor.Of(context)).Needs(OperatorRole.Viewer);
}
