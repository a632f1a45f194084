using Orders.Dashboard.Auth;
using Orders.Dashboard.Viewing;
using QueueWorkers.Operators;

namespace Orders.Dashboard.Audit;

/// <summary>What operators did, and tried to do.</summary>
internal static class AuditRoutes
{
    private const int PageSize = 50;
    private const int FileSize = 10_000;
    private static readonly string[] Columns =
    [
        "id",
        "at",
        "who",
        "role",
        "action",
        "target",
        "filter",
        "count",
        "reason",
        "result",
    ];

    public static void Map(RouteGroupBuilder pages)
    {
        pages
            .MapGet(
                "/audit",
                async (long? before, AuditLog audit, Loader loader, HttpContext http) =>
                    Page.Of<AuditPage>(
                        new
                        {
                            Entries = await loader.LoadAsync(
                                "the record",
                                token => audit.ReadAsync(before, PageSize + 1, token),
                                http.RequestAborted
                            ),
                            PageSize,
                        }
                    )
            )
            .Needs(OperatorRole.Viewer);
        pages
            .MapGet(
                "/audit.csv",
                async (AuditLog audit, CancellationToken cancellationToken) =>
                    Csv.File(
                        "audit",
                        Columns,
                        (await audit.ReadAsync(null, FileSize, cancellationToken)).Select(e =>
                            (IReadOnlyList<object?>)
                                [e.Id, e.At, e.Who, e.Role, e.Action, e.Target, e.Filter, e.Count, e.Reason, e.Result]
                        )
                    )
            )
            .Needs(OperatorRole.Viewer);
    }
}
