using Orders.Dashboard.Api.Problems;
using Orders.Dashboard.Auth;
using QueueWorkers.Operators;

namespace Orders.Dashboard.Api;

/// <summary>What operators did, newest first, and whether anybody has touched the record.</summary>
internal static class AuditApi
{
    public static void Map(RouteGroupBuilder api)
    {
        api.MapGet(
                "/audit",
                async (long? before, int? limit, AuditLog audit, CancellationToken cancellationToken) =>
                    limit is < 1 or > 500
                        ? ApiProblem.InvalidParameter("limit must be 1–500")
                        : Results.Ok(await audit.ReadAsync(before, limit ?? 100, cancellationToken))
            )
            .Needs(OperatorRole.Viewer);

        api.MapGet(
                "/audit/verification",
                async (AuditLog audit, CancellationToken cancellationToken) =>
                {
                    var broken = await audit.FirstBrokenAsync(cancellationToken);
                    return Results.Ok(new { intact = broken is null, firstBroken = broken });
                }
            )
            .Needs(OperatorRole.Viewer);
    }
}
