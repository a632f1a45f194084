using Orders.Dashboard.Auth;
using Orders.Dashboard.Viewing;
using QueueWorkers.Operators;

namespace Orders.Dashboard.Audit;

/// <summary>What operators did, and tried to do.</summary>
internal static class AuditRoutes
{
    private const int PageSize = 50;
    private const int FileSize = 10_000;

    private static readonly CsvTable<AuditEntry> File = new(
        "audit",
        ("id", e => e.Id),
        ("at", e => e.At),
        ("who", e => e.Who),
        ("role", e => e.Role),
        ("action", e => e.Action),
        ("target", e => e.Target),
        ("filter", e => e.Filter),
        ("count", e => e.Count),
        ("reason", e => e.Reason),
        ("result", e => e.Result)
    );

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
                    File.Of(await audit.ReadAsync(null, FileSize, cancellationToken))
            )
            .Needs(OperatorRole.Viewer);
    }
}
