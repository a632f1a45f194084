using Orders.Dashboard.Api.Problems;
using Orders.Dashboard.Auth;
using QueueWorkers.DeadLetters;
using QueueWorkers.DeadLetters.Search;
using QueueWorkers.Operators;
using QueueWorkers.Redrive;

namespace Orders.Dashboard.Api;

/// <summary>Effects of which nobody knows whether they happened, and an operator's word on them.</summary>
internal static class EffectsApi
{
    private const int Most = 500;

    public static void Map(RouteGroupBuilder api)
    {
        api.MapGet(
                "/effects/uncertain",
                async (
                    DateTimeOffset? after,
                    Guid? afterSubject,
                    int? limit,
                    UncertainEffects effects,
                    CancellationToken cancellationToken
                ) =>
                    limit is < 1 or > Most
                        ? ApiProblem.InvalidParameter($"limit must be 1–{Most}")
                        : Results.Ok(
                            await effects.ListAsync(
                                after is { } at ? (at, afterSubject ?? Guid.Empty) : null,
                                limit ?? 100,
                                cancellationToken
                            )
                        )
            )
            .Needs(OperatorRole.Viewer);

        api.MapPost(
                "/effects/{subject:guid}/{effect}/settle",
                (
                    Guid subject,
                    string effect,
                    SettleRequest request,
                    HttpContext context,
                    UncertainEffects effects,
                    FailureSearch search,
                    Redrives redrives,
                    CancellationToken cancellationToken
                ) =>
                    ApiProblem.GuardAsync(() =>
                        SettleAsync(
                            subject,
                            effect,
                            request,
                            Actor.Of(context),
                            effects,
                            search,
                            redrives,
                            cancellationToken
                        )
                    )
            )
            .Needs(OperatorRole.Operator);
    }

    private static async Task<IResult> SettleAsync(
        Guid subject,
        string effect,
        SettleRequest request,
        Actor actor,
        UncertainEffects effects,
        FailureSearch search,
        Redrives redrives,
        CancellationToken cancellationToken
    )
    {
        if (string.IsNullOrWhiteSpace(request.Reason))
            return ApiProblem.InvalidParameter("reason must say what was looked at");
        var record = actor.Did(
            "settle-effect",
            $"{effect} of {subject}: {(request.Happened ? "it happened" : "it did not happen")}",
            request.Reason
        );
        if (
            await effects.SettleAsync(subject, effect, request.Happened, record, cancellationToken)
            is not var (step, message)
        )
            return ApiProblem.NotFound(
                $"Effect '{effect}' of {subject} is not uncertain; GET /api/effects/uncertain lists those that are."
            );
        if (request.Happened)
            return Results.Ok(new { settled = true });

        // Dying here leaves the message dead-lettered with nothing in its way: it is redriven like any other.
        if (await search.DeadLetteredAsync(message, step, cancellationToken) is not { } failure)
            return Results.Ok(
                new
                {
                    settled = true,
                    note = "Its message is not dead-lettered any more; restore it, or replay the step for this order.",
                }
            );
        var (made, refused) = await redrives.CreateAsync(
            new RedriveRequest
            {
                Filter = new FailureFilter { Ids = [failure] },
                Reason = request.Reason,
                Canary = 0,
                Start = true,
            },
            actor.Did("redrive", reason: request.Reason),
            null,
            cancellationToken
        );
        return made is not null
            ? Results.Accepted($"/api/redrives/{made.Redrive.Id}", made)
            : RedrivesApi.Refused(refused!);
    }
}

/// <summary>What an operator has found out about an effect, and where.</summary>
internal sealed record SettleRequest(bool Happened, string Reason);
