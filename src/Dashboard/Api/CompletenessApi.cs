using Orders.Dashboard.Api.Problems;
using Orders.Dashboard.Auth;
using QueueWorkers.Completeness;
using QueueWorkers.Operators;
using QueueWorkers.Scheduling;

namespace Orders.Dashboard.Api;

/// <summary>The completeness check: what was accepted and lacks something, and its message once more.</summary>
internal static class CompletenessApi
{
    private const string Schedule = "completeness";
    private const int MostGaps = 500;

    public static void Map(RouteGroupBuilder api)
    {
        api.MapGet(
                "/completeness",
                async (CompletenessControl control, CancellationToken cancellationToken) =>
                    Results.Ok(await control.SummaryAsync(cancellationToken))
            )
            .Needs(OperatorRole.Viewer);

        api.MapGet(
                "/completeness/gaps",
                async (
                    bool? closed,
                    DateTimeOffset? foundBefore,
                    Guid? subjectBefore,
                    int? limit,
                    CompletenessControl control,
                    CancellationToken cancellationToken
                ) =>
                    limit is < 1 or > MostGaps
                        ? ApiProblem.InvalidParameter($"limit must be 1–{MostGaps}")
                        : Results.Ok(
                            await control.ListAsync(
                                closed ?? false,
                                foundBefore is { } at ? (at, subjectBefore ?? Guid.Empty) : null,
                                limit ?? 100,
                                cancellationToken
                            )
                        )
            )
            .Needs(OperatorRole.Viewer);

        api.MapPost("/completeness/gaps/{subject:guid}/{effect}/reemit", ReemitAsync).Needs(OperatorRole.Operator);
    }

    private static async Task<IResult> ReemitAsync(
        Guid subject,
        string effect,
        OptionalReason? because,
        HttpContext context,
        CompletenessControl control,
        ScheduleControl schedules,
        CancellationToken cancellationToken
    )
    {
        var actor = Actor.Of(context);
        switch (
            await control.ReemitAsync(
                subject,
                effect,
                actor.Did("reemit", $"{effect} of {subject}", because?.Reason),
                cancellationToken
            )
        )
        {
            case ReemitAnswer.NoSuchGap:
                return ApiProblem.NotFound(
                    $"Effect '{effect}' of {subject} is not among the open gaps of missing effects; GET /api/completeness/gaps lists them."
                );
            case ReemitAnswer.AlreadyAsked:
                return ApiProblem.Conflict(
                    "already-asked",
                    "It was asked for before, and its message has not left the outbox yet."
                );
            default:
                // Else it goes out with the next check by the clock, a minute later at most.
                await schedules.RunNowAsync(
                    Schedule,
                    actor.Did("run-schedule", $"schedule {Schedule}", "to emit the message"),
                    cancellationToken
                );
                return Results.Accepted();
        }
    }
}
