using Orders.Dashboard.Auth;
using Orders.Dashboard.Viewing;
using Orders.Infrastructure.Operators;

namespace Orders.Dashboard.Overview;

/// <summary>The first page: is it well, and if not, where to look.</summary>
internal static class OverviewRoutes
{
    public static void Map(RouteGroupBuilder pages)
    {
        pages.MapGet("/", () => Page.Of<OverviewPage>(new { })).Needs(OperatorRole.Viewer);
        pages.MapGet("/attention", () => Page.Of<AttentionList>(new { })).Needs(OperatorRole.Viewer);
    }
}
