using Orders.Dashboard.Auth;
using Orders.Dashboard.Viewing;
using QueueWorkers.DeadLetters.Search;
using QueueWorkers.Operators;

namespace Orders.Dashboard.Overview;

/// <summary>The first page: is it well, and if not, where to look.</summary>
internal static class OverviewRoutes
{
    private const int Shown = 5;

    public static void Map(RouteGroupBuilder pages)
    {
        pages
            .MapGet(
                "/",
                async (FailureSearch search, Loader loader, HttpContext http) =>
                    Page.Of<OverviewPage>(new { Groups = await GroupsAsync(search, loader, http) })
            )
            .Needs(OperatorRole.Viewer);
        pages.MapGet("/attention", () => Page.Of<AttentionList>(new { })).Needs(OperatorRole.Viewer);
        // What cannot be read leaves the last ones in place: a page does not swap in a 5xx.
        pages
            .MapGet(
                "/newest-groups",
                async (FailureSearch search, Loader loader, HttpContext http) =>
                    await GroupsAsync(search, loader, http) is var groups && groups.Fault is null
                        ? Page.Of<NewestGroups>(new { Groups = groups })
                        : Results.StatusCode(StatusCodes.Status503ServiceUnavailable)
            )
            .Needs(OperatorRole.Viewer);
    }

    private static async Task<Loaded<IReadOnlyList<FailureGroup>>> GroupsAsync(
        FailureSearch search,
        Loader loader,
        HttpContext http
    ) =>
        await loader.LoadAsync<IReadOnlyList<FailureGroup>>(
            "the failure groups",
            async token =>
                [
                    .. (await search.GroupsAsync(new FailureFilter(), token))
                        .OrderByDescending(g => g.LastAt)
                        .Take(Shown),
                ],
            http.RequestAborted
        );
}
