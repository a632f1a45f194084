using Orders.Dashboard.Api.Problems;
using Orders.Dashboard.Auth;
using Orders.Dashboard.Failures;
using QueueWorkers.DeadLetters;
using QueueWorkers.Messaging;
using QueueWorkers.Operators;
using QueueWorkers.Redrive;
using QueueWorkers.Redrive.Planning;

namespace Orders.Dashboard.Api;

/// <summary>Redrives: planned, made, started, stopped, watched.</summary>
internal static class RedrivesApi
{
    public static void Map(RouteGroupBuilder api)
    {
        api.MapPost(
                "/redrives/preview",
                (
                    RedriveRequest request,
                    RedrivePreview preview,
                    IMessageContracts contracts,
                    CancellationToken cancellationToken
                ) =>
                    ApiProblem.GuardAsync(async () =>
                    {
                        if (request.Problem() is { } problem)
                            return ApiProblem.InvalidParameter(problem);
                        var plan = await preview.PlanAsync(request, cancellationToken);
                        return Results.Ok(
                            plan with
                            {
                                Diffs =
                                [
                                    .. plan.Diffs.Select(d =>
                                        d with
                                        {
                                            Diff = PayloadMask.OfDifferences(
                                                d.Diff,
                                                ShownPayload.ContractOf(d.MessageType, contracts)
                                            ),
                                        }
                                    ),
                                ],
                            }
                        );
                    })
            )
            .Needs(OperatorRole.Viewer);

        api.MapPost(
                "/redrives",
                (HttpContext context, RedriveRequest request, Redrives redrives, CancellationToken cancellationToken) =>
                    ApiProblem.GuardAsync(async () =>
                    {
                        if (request.Problem() is { } problem)
                            return ApiProblem.InvalidParameter(problem);
                        var (made, refused) = await redrives.CreateAsync(
                            request,
                            Actor.Of(context).Did("redrive", reason: request.Reason),
                            null,
                            cancellationToken
                        );
                        return made is not null
                            ? Results.Created($"/api/redrives/{made.Redrive.Id}", made)
                            : Refused(refused!);
                    })
            )
            .Needs(OperatorRole.Operator);

        api.MapGet(
                "/redrives",
                async (Guid? before, RedriveReader redrives, CancellationToken cancellationToken) =>
                    Results.Ok(await redrives.ListAsync(before, cancellationToken))
            )
            .Needs(OperatorRole.Viewer);

        api.MapGet(
                "/redrives/{id:guid}",
                async (Guid id, RedriveReader redrives, CancellationToken cancellationToken) =>
                    await redrives.FindAsync(id, cancellationToken) is { } redrive
                        ? Results.Ok(redrive)
                        : ApiProblem.NotFound($"There is no redrive {id}.")
            )
            .Needs(OperatorRole.Viewer);

        api.MapGet(
                "/redrives/{id:guid}/items",
                async (
                    Guid id,
                    RedriveItemState state,
                    Guid? after,
                    int? limit,
                    RedriveReader redrives,
                    CancellationToken cancellationToken
                ) =>
                    limit is < 1 or > 1000
                        ? ApiProblem.InvalidParameter("limit must be 1–1000")
                        : Results.Ok(await redrives.ItemsAsync(id, state, after, limit ?? 100, cancellationToken))
            )
            .Needs(OperatorRole.Viewer);

        MapChange(
            api,
            "start",
            static (redrives, id, record, cancellationToken) => redrives.StartAsync(id, record, cancellationToken)
        );
        MapChange(
            api,
            "stop",
            static (redrives, id, record, cancellationToken) => redrives.StopAsync(id, record, cancellationToken)
        );
        MapChange(
            api,
            "resume",
            static (redrives, id, record, cancellationToken) => redrives.StartAsync(id, record, cancellationToken)
        );
        MapChange(
            api,
            "cancel",
            static (redrives, id, record, cancellationToken) => redrives.CancelAsync(id, record, cancellationToken)
        );
    }

    /// <summary>The problem of a refusal.</summary>
    public static IResult Refused(RedriveRefusal refusal) =>
        refusal.Code switch
        {
            "empty" => ApiProblem.Unprocessable("nothing-matches", refusal.Detail),
            "too-many" => ApiProblem.Unprocessable("too-many", refusal.Detail),
            _ => ApiProblem.Of(
                409,
                refusal.Code,
                "The state does not allow this.",
                refusal.Detail,
                refusal.Other is { } other ? [("redrive", other)] : []
            ),
        };

    private static void MapChange(
        RouteGroupBuilder api,
        string change,
        Func<Redrives, Guid, AuditEntry, CancellationToken, Task<RedriveRefusal?>> act
    ) =>
        api.MapPost(
                $"/redrives/{{id:guid}}/{change}",
                async (
                    HttpContext context,
                    Guid id,
                    ReasonRequest request,
                    Redrives redrives,
                    RedriveReader reader,
                    CancellationToken cancellationToken
                ) =>
                {
                    if (string.IsNullOrWhiteSpace(request.Reason))
                        return ApiProblem.InvalidParameter("reason must say why");
                    if (await reader.FindAsync(id, cancellationToken) is null)
                        return ApiProblem.NotFound($"There is no redrive {id}.");
                    return
                        await act(
                            redrives,
                            id,
                            Actor.Of(context).Did($"{change} redrive", reason: request.Reason),
                            cancellationToken
                        )
                            is { } refused
                        ? Refused(refused)
                        : Results.Ok(await reader.FindAsync(id, cancellationToken));
                }
            )
            .Needs(OperatorRole.Operator);
}

/// <summary>Why.</summary>
internal sealed record ReasonRequest(string Reason);
