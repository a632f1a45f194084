using Orders.Dashboard.Auth;
using Orders.Dashboard.Viewing;
using QueueWorkers.Monitoring;
using QueueWorkers.Operators;

namespace Orders.Dashboard.FlowPages;

/// <summary>The steps as a picture.</summary>
internal static class FlowRoutes
{
    public static void Map(RouteGroupBuilder pages) =>
        pages
            .MapGet(
                "/flow",
                async (StepFlowReader flow, Loader loader, HttpContext http) =>
                    Page.Of<FlowPage>(
                        new { Flow = await loader.LoadAsync("the flow", flow.ReadAsync, http.RequestAborted) }
                    )
            )
            .Needs(OperatorRole.Viewer);
}
