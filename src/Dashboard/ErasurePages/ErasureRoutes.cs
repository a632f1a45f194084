using Orders.Dashboard.Auth;
using Orders.Dashboard.Viewing;
using QueueWorkers.Erasing;
using QueueWorkers.Operators;

namespace Orders.Dashboard.ErasurePages;

/// <summary>
/// The page of erasures: how far each is, and what it waits for. For admins only. It begins none: the address belongs
/// into a body that is confirmed with the counts, which is what <c>./dev erase</c> does.
/// </summary>
internal static class ErasureRoutes
{
    private const int Shown = 100;

    public static void Map(RouteGroupBuilder pages) =>
        pages
            .MapGet(
                "/erasures",
                async (Erasures erasures, Loader loader, HttpContext http) =>
                    Page.Of<ErasuresPage>(
                        new
                        {
                            Erasures = await loader.LoadAsync(
                                "the erasures",
                                token => erasures.ListAsync(token, Shown + 1),
                                http.RequestAborted
                            ),
                            Shown,
                        }
                    )
            )
            .Needs(OperatorRole.Admin);
}
