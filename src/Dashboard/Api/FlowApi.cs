using System.Text.Json;
using Orders.Dashboard.Api.Problems;
using Orders.Dashboard.Auth;
using Orders.Infrastructure.Cancelling;
using QueueWorkers.DeadLetters;
using QueueWorkers.Operators;
using QueueWorkers.Replays;

namespace Orders.Dashboard.Api;

/// <summary>
/// What an operator does with the flow of orders: cancels one, whoever's it is; feeds a step with past ones.
/// </summary>
internal static class FlowApi
{
    private const int MostReplays = 100;

    public static void Map(RouteGroupBuilder api)
    {
        api.MapPost("/orders/{order}/cancel", CancelAsync).Needs(OperatorRole.Operator);
        api.MapGet(
                "/replays",
                async (ReplayService desk, CancellationToken cancellationToken) =>
                    Results.Ok(await desk.ListAsync(MostReplays, cancellationToken))
            )
            .Needs(OperatorRole.Viewer);
        api.MapGet(
                "/replays/{id:guid}",
                async (Guid id, ReplayService desk, CancellationToken cancellationToken) =>
                    await desk.FindAsync(id, cancellationToken) is { } replay ? Results.Ok(replay) : NoReplay()
            )
            .Needs(OperatorRole.Viewer);
        api.MapPost("/replays", BeginAsync).Needs(OperatorRole.Operator);
        api.MapPost(
                "/replays/{id:guid}/stop",
                async (Guid id, HttpContext context, ReplayService desk, CancellationToken cancellationToken) =>
                    await desk.StopAsync(id, cancellationToken, Actor.Of(context).Did("stop replay", $"replay {id}"))
                        ? Results.NoContent()
                        : await NotSoAsync(id, desk, "It is not running.", cancellationToken)
            )
            .Needs(OperatorRole.Operator);
        api.MapPost(
                "/replays/{id:guid}/resume",
                async (Guid id, HttpContext context, ReplayService desk, CancellationToken cancellationToken) =>
                    await desk.ResumeAsync(
                        id,
                        cancellationToken,
                        Actor.Of(context).Did("resume replay", $"replay {id}")
                    )
                        ? Results.NoContent()
                        : await NotSoAsync(id, desk, "It is neither stopped nor failed.", cancellationToken)
            )
            .Needs(OperatorRole.Operator);
    }

    // By its number too: that is what a customer on the telephone has.
    private static Task<IResult> CancelAsync(
        string order,
        CancelRequest request,
        HttpContext context,
        OrderCancellation cancellation,
        ISubjectDirectory directory,
        CancellationToken cancellationToken
    ) =>
        ApiProblem.GuardAsync(async () =>
        {
            if (await directory.FindAsync(order, cancellationToken) is not { } id)
                return ApiProblem.NotFound($"There is no order {order}.");
            return await cancellation.CancelAsync(
                id,
                clientId: null,
                cancellationToken,
                Actor.Of(context).Did("cancel order", $"order {id}", request.Reason)
            ) switch
            {
                CancelOutcome.Cancelled => Results.Accepted(),
                CancelOutcome.AlreadyCancelled => Results.NoContent(),
                CancelOutcome.Completed => ApiProblem.Conflict(
                    "order-not-cancellable",
                    "Every step of the order is done: the goods are on their way."
                ),
                CancelOutcome.Rejected => ApiProblem.Conflict(
                    "order-not-cancellable",
                    "The order was rejected: there is nothing to cancel."
                ),
                _ => ApiProblem.NotFound("There is no order of this id."),
            };
        });

    private static async Task<IResult> BeginAsync(
        ReplayRequest request,
        HttpContext context,
        ReplayService desk,
        CancellationToken cancellationToken
    )
    {
        if (string.IsNullOrWhiteSpace(request.Step))
            return ApiProblem.InvalidParameter("step must name the step that gets the past orders");
        var actor = Actor.Of(context);
        var filter = request.Filter?.GetRawText() ?? "{}";
        try
        {
            var replay = await desk.BeginAsync(
                request.Step,
                filter,
                request.PerSecond,
                actor.Name,
                cancellationToken,
                Began(actor, request, filter)
            );
            return Results.Created($"/api/replays/{replay.Id}", replay);
        }
        catch (ReplayRefusedException refused)
        {
            return ApiProblem.Unprocessable("replay-refused", refused.Message);
        }
    }

    private static AuditEntry Began(Actor actor, ReplayRequest request, string filter)
    {
        var did = actor.Did("begin replay", $"step {request.Step}", request.Reason);
        return new AuditEntry
        {
            Who = did.Who,
            Role = did.Role,
            Action = did.Action,
            Target = did.Target,
            Reason = did.Reason,
            Filter = filter,
        };
    }

    private static async Task<IResult> NotSoAsync(
        Guid id,
        ReplayService desk,
        string detail,
        CancellationToken cancellationToken
    ) => await desk.FindAsync(id, cancellationToken) is null ? NoReplay() : ApiProblem.Conflict("replay-state", detail);

    private static IResult NoReplay() =>
        ApiProblem.NotFound("There is no replay of this id; GET /api/replays lists them.");

    /// <summary>Why an order is cancelled.</summary>
    private sealed record CancelRequest(string? Reason);

    /// <summary>A replay to begin.</summary>
    private sealed record ReplayRequest(string Step, int PerSecond, JsonElement? Filter, string? Reason);
}
