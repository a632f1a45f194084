using Orders.Dashboard.Api.Problems;
using Orders.Dashboard.Auth;
using Orders.Dashboard.Failures;
using QueueWorkers.DeadLetters;
using QueueWorkers.Operators;
using QueueWorkers.Redrive;
using QueueWorkers.Redrive.Planning;

namespace Orders.Dashboard.Api;

/// <summary>Redrives: planned, made, started, stopped, watched.</summary>
internal static class RedrivesApi
{
    public static void Map(RouteGroupBuilder api)
    {
        api.MapPost("/redrives/preview", PreviewAsync).Needs(OperatorRole.Viewer);

        api.MapPost("/redrives", CreateAsync).Needs(OperatorRole.Operator);

        api.MapGet(
                "/redrives",
                async (Guid? before, RedriveReader redrives, PatchRight right, CancellationToken cancellationToken) =>
                    Results.Ok(
                        (await redrives.ListAsync(before, cancellationToken)).Select(redrive => Shown(redrive, right))
                    )
            )
            .Needs(OperatorRole.Viewer);

        api.MapGet(
                "/redrives/{id:guid}",
                async (Guid id, RedriveReader redrives, PatchRight right, CancellationToken cancellationToken) =>
                    await redrives.FindAsync(id, cancellationToken) is { } redrive
                        ? Results.Ok(Shown(redrive, right))
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

    private static Task<IResult> PreviewAsync(
        RedriveRequest request,
        HttpContext context,
        RedrivePreview preview,
        PatchRight right,
        AuditLog audit,
        CancellationToken cancellationToken
    ) =>
        ApiProblem.GuardAsync(async () =>
        {
            if (request.Problem() is { } problem)
                return ApiProblem.InvalidParameter(problem);
            if (await right.IsRefusedAsync(Actor.Of(context), request.Patch, context))
                return PatchRight.Refused();
            if (right.TestsMasked(request.Patch))
                await Unmasking.RecordTestAsync(audit, Actor.Of(context), request.Reason, cancellationToken);
            var plan = await preview.PlanAsync(request, cancellationToken);
            return Results.Ok(
                plan with
                {
                    Diffs = [.. plan.Diffs.Select(d => d with { Diff = right.Shown(d, request.Patch!) })],
                }
            );
        });

    private static Task<IResult> CreateAsync(
        HttpContext context,
        RedriveRequest request,
        Redrives redrives,
        PatchRight right,
        AuditLog audit,
        CancellationToken cancellationToken
    ) =>
        ApiProblem.GuardAsync(async () =>
        {
            if (request.Problem() is { } problem)
                return ApiProblem.InvalidParameter(problem);
            if (await right.IsRefusedAsync(Actor.Of(context), request.Patch, context))
                return PatchRight.Refused();
            if (right.TestsMasked(request.Patch))
                await Unmasking.RecordTestAsync(audit, Actor.Of(context), request.Reason, cancellationToken);
            var (made, refused) = await redrives.CreateAsync(
                request,
                Actor.Of(context).Did("redrive", reason: request.Reason),
                null,
                cancellationToken
            );
            return made is not null
                ? Results.Created($"/api/redrives/{made.Redrive.Id}", Shown(made, right))
                : Refused(refused!);
        });

    // Everybody may read a redrive; what its patch writes may be personal.
    private static RedriveProgress Shown(RedriveProgress redrive, PatchRight right) =>
        redrive with
        {
            Redrive = redrive.Redrive with { Patch = right.Shown(redrive.Redrive.Patch) },
        };

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
                    PatchRight right,
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
                        : Results.Ok(Shown((await reader.FindAsync(id, cancellationToken))!, right));
                }
            )
            .Needs(OperatorRole.Operator);
}

/// <summary>Why.</summary>
internal sealed record ReasonRequest(string Reason);
