using Orders.Dashboard.Auth;
using Orders.Dashboard.Layout;
using Orders.Dashboard.Viewing;
using Orders.Infrastructure.Failures;
using QueueWorkers.DeadLetters;
using QueueWorkers.DeadLetters.Search;
using QueueWorkers.Operators;

namespace Orders.Dashboard.Failures;

/// <summary>Two failures beside each other: <c>/failures/compare?ids=A,B</c>.</summary>
internal static class CompareRoutes
{
    public static void Map(RouteGroupBuilder pages) =>
        pages.MapGet("/failures/compare", CompareAsync).Needs(OperatorRole.Viewer);

    private static async Task<IResult> CompareAsync(
        HttpContext http,
        FailureSearch search,
        OrderFailures orders,
        Loader loader
    )
    {
        if (Filters.Read(name => http.Request.Query[name]).Ids is not { Count: 2 } ids)
            return Page.Of<Message>(
                new
                {
                    Title = "Compare what?",
                    Detail = "Select two failures in the list, and compare them from there.",
                },
                StatusCodes.Status400BadRequest
            );
        var found = new List<Failure>();
        var both = await loader.LoadAsync(
            "the two failures",
            async token =>
            {
                foreach (var id in ids)
                    if (await search.FindAsync(id, token) is { } failure)
                        found.Add(failure);
                return found;
            },
            http.RequestAborted
        );
        if (both.Fault is null && found.Count < ids.Count)
            return Page.Of<Message>(
                new
                {
                    Title = "No such failure",
                    Detail = $"There is no failure {ids.First(id => found.All(f => f.Id != id))}; retention may have removed it.",
                },
                StatusCodes.Status404NotFound
            );
        var numbers = (
            await loader.LoadAsync(
                "the orders' numbers",
                token => orders.NumbersAsync([.. found.Select(f => f.SubjectId).OfType<Guid>().Distinct()], token),
                http.RequestAborted
            )
        ).Value;
        return Page.Of<ComparePage>(new { Both = both, Numbers = numbers });
    }
}
