using Orders.Dashboard.Api.Problems;
using Orders.Dashboard.Auth;
using QueueWorkers.Clocks;
using QueueWorkers.Idempotency;
using QueueWorkers.Operators;

namespace Orders.Dashboard.Api;

/// <summary>Suppressed duplicates: how many by cause, and one by one with the effect that happened once.</summary>
internal static class DuplicatesApi
{
    private const int MostRows = 500;
    private static readonly TimeSpan CountedBack = TimeSpan.FromDays(1);

    public static void Map(RouteGroupBuilder api)
    {
        api.MapGet(
                "/duplicates",
                async (
                    long? before,
                    DuplicateCause? cause,
                    string? step,
                    Guid? subject,
                    int? limit,
                    DuplicateReader reader,
                    CancellationToken cancellationToken
                ) =>
                    limit is < 1 or > MostRows
                        ? ApiProblem.InvalidParameter($"limit must be 1–{MostRows}")
                        : Results.Ok(
                            await reader.ListAsync(before, cause, step, subject, limit ?? 100, cancellationToken)
                        )
            )
            .Needs(OperatorRole.Viewer);

        api.MapGet(
                "/duplicates/counts",
                async (DateTimeOffset? since, DuplicateReader reader, CancellationToken cancellationToken) =>
                    Results.Ok(await reader.CountAsync(since ?? DatabaseClock.UtcNow - CountedBack, cancellationToken))
            )
            .Needs(OperatorRole.Viewer);
    }
}
