using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.Extensions.Options;
using Orders.Dashboard.Api;
using Orders.Dashboard.Api.Problems;
using Orders.Dashboard.Auth;
using QueueWorkers.Bulk;
using QueueWorkers.DeadLetters.Search;
using QueueWorkers.Hosting.Borders;
using QueueWorkers.Operators;

namespace Orders.Dashboard.BulkPages;

/// <summary>Bulk actions: rehearsed, confirmed with their number, watched, paused, resumed, ended.</summary>
internal static class BulkApi
{
    private const int LongestReason = 500;
    private const int PageSize = 100;

    public static void Map(RouteGroupBuilder api)
    {
        api.MapPost("/bulk-actions", RehearseAsync).Needs(OperatorRole.Operator);
        api.MapGet(
                "/bulk-actions",
                async (Guid? before, BulkReader actions, CancellationToken cancellationToken) =>
                    Results.Ok((await actions.ListAsync(before, PageSize, cancellationToken)).Select(BulkView.Of))
            )
            .Needs(OperatorRole.Viewer);
        api.MapGet(
                "/bulk-actions/{id:guid}",
                async (Guid id, BulkReader actions, CancellationToken cancellationToken) =>
                    await actions.FindAsync(id, cancellationToken) is { } action
                        ? Results.Ok(BulkView.Of(action))
                        : ApiProblem.NotFound($"There is no bulk action {id}.")
            )
            .Needs(OperatorRole.Viewer);
        api.MapGet(
                "/bulk-actions/{id:guid}/items",
                async (
                    Guid id,
                    BulkItemState state,
                    Guid? after,
                    int? limit,
                    BulkReader actions,
                    CancellationToken cancellationToken
                ) =>
                {
                    if (!Enum.IsDefined(state))
                        return ApiProblem.InvalidParameter(
                            $"state must be one of {string.Join(", ", Enum.GetNames<BulkItemState>())}"
                        );
                    if (limit is < 1 or > 1000)
                        return ApiProblem.InvalidParameter("limit must be 1–1000");
                    if (await actions.FindAsync(id, cancellationToken) is null)
                        return ApiProblem.NotFound($"There is no bulk action {id}.");
                    var items = await actions.ItemsAsync(id, state, after, limit ?? PageSize, cancellationToken);
                    return Results.Ok(
                        items.Select(item => new BulkItemView(item.TargetId, item.State, item.SettledAt, item.Note))
                    );
                }
            )
            .Needs(OperatorRole.Viewer);
        api.MapPost(
                "/bulk-actions/{id:guid}/confirm",
                (
                    Guid id,
                    ConfirmRequest request,
                    HttpContext context,
                    BulkActions actions,
                    BulkReader reader,
                    CancellationToken cancellationToken
                ) =>
                    GuardAsync(async () =>
                    {
                        if (ReasonFault(request.Reason) is { } fault)
                            return fault;
                        if (await reader.FindAsync(id, cancellationToken) is not { } action)
                            return ApiProblem.NotFound($"There is no bulk action {id}.");
                        await actions.ConfirmAsync(
                            id,
                            request.Expect,
                            Actor.Of(context).Did(Verb(action.Kind), reason: request.Reason),
                            cancellationToken
                        );
                        return Results.Accepted(
                            $"/api/bulk-actions/{id}",
                            BulkView.Of((await reader.FindAsync(id, cancellationToken))!)
                        );
                    })
            )
            .Needs(OperatorRole.Operator);
        MapChange(api, "pause", static (actions, id, record, token) => actions.PauseAsync(id, record, token));
        MapChange(api, "resume", static (actions, id, record, token) => actions.ResumeAsync(id, record, token));
        MapChange(api, "end", static (actions, id, record, token) => actions.EndAsync(id, record, token));
    }

    /// <summary>What the audit record says was done: the kind in words.</summary>
    public static string Verb(string kind) => kind.Replace('-', ' ');

    private static Task<IResult> RehearseAsync(
        BulkActionRequest request,
        HttpContext context,
        BulkActions actions,
        IOptions<JsonOptions> json,
        CancellationToken cancellationToken
    ) =>
        GuardAsync(async () =>
        {
            if (string.IsNullOrWhiteSpace(request.Kind))
                return ApiProblem.InvalidParameter("kind must say what to do");
            if (!IdempotencyKeyHeader.TryRead(context.Request.Headers, out var key))
                return ApiProblem.Of(
                    400,
                    "invalid-idempotency-key",
                    "The Idempotency-Key cannot be used.",
                    IdempotencyKeyHeader.Expected
                );
            var (action, replayed) = await actions.RehearseAsync(
                new BulkRequest(
                    request.Kind,
                    request.Step,
                    FilterOf(request, json.Value.SerializerOptions),
                    request.PerSecond,
                    key
                ),
                Actor.Of(context).Name,
                cancellationToken
            );
            if (replayed)
                context.Response.Headers[IdempotencyKeyHeader.Replayed] = "true";
            return Results.Created($"/api/bulk-actions/{action.Id}", BulkView.Of(action));
        });

    // Failures are filtered in the words of this API: by order and customer.
    private static string FilterOf(BulkActionRequest request, JsonSerializerOptions json)
    {
        if (request.Filter is not { ValueKind: JsonValueKind.Object } filter)
            throw new InvalidFilterException("filter must be a JSON object that says which ones.");
        if (request.Kind != ArchiveFailures.KindName)
            return filter.GetRawText();
        try
        {
            return ArchiveFailures.FilterOf(filter.Deserialize<FailureFilter>(json) ?? new FailureFilter());
        }
        catch (JsonException problem)
        {
            throw new InvalidFilterException(problem.Message);
        }
    }

    private static void MapChange(
        RouteGroupBuilder api,
        string change,
        Func<BulkActions, Guid, AuditEntry, CancellationToken, Task> act
    ) =>
        api.MapPost(
                $"/bulk-actions/{{id:guid}}/{change}",
                (
                    Guid id,
                    ReasonRequest request,
                    HttpContext context,
                    BulkActions actions,
                    BulkReader reader,
                    CancellationToken cancellationToken
                ) =>
                    GuardAsync(async () =>
                    {
                        if (ReasonFault(request.Reason) is { } fault)
                            return fault;
                        await act(
                            actions,
                            id,
                            Actor.Of(context).Did($"{change} bulk action", reason: request.Reason),
                            cancellationToken
                        );
                        return Results.Ok(BulkView.Of((await reader.FindAsync(id, cancellationToken))!));
                    })
            )
            .Needs(OperatorRole.Operator);

    private static IResult? ReasonFault(string? reason) =>
        string.IsNullOrWhiteSpace(reason) || reason.Length > LongestReason
            ? ApiProblem.InvalidParameter($"reason must say why, in at most {LongestReason} characters")
            : null;

    private static Task<IResult> GuardAsync(Func<Task<IResult>> action) =>
        ApiProblem.GuardAsync(async () =>
        {
            try
            {
                return await action();
            }
            catch (BulkRefusedException refused)
            {
                return refused.Code switch
                {
                    "not-found" => ApiProblem.NotFound(refused.Message),
                    "not-open" or "count-changed" => ApiProblem.Conflict(refused.Code, refused.Message),
                    _ => ApiProblem.Unprocessable(refused.Code, refused.Message),
                };
            }
        });

    /// <summary>What to rehearse.</summary>
    private sealed record BulkActionRequest(string Kind, string? Step, JsonElement? Filter, int? PerSecond);

    /// <summary>The number that was seen, and why it is done.</summary>
    private sealed record ConfirmRequest(int Expect, string Reason);
}

/// <summary>A target of a bulk action as the API shows it.</summary>
internal sealed record BulkItemView(Guid Id, BulkItemState State, DateTimeOffset? SettledAt, string? Note);

/// <summary>A bulk action as the API shows it; done, skipped, refused and left add up to the total.</summary>
internal sealed record BulkView(
    Guid Id,
    string Kind,
    string? Step,
    BulkState State,
    int Total,
    int Done,
    int Skipped,
    int Refused,
    int Left,
    int PerSecond,
    JsonNode? Filter,
    BulkRehearsal Rehearsal,
    string CreatedBy,
    DateTimeOffset CreatedAt,
    string? ConfirmedBy,
    DateTimeOffset? ConfirmedAt,
    string? Reason,
    string? Note,
    DateTimeOffset? FinishedAt
)
{
    public static BulkView Of(BulkAction action) =>
        new(
            action.Id,
            action.Kind,
            action.Step,
            action.State,
            action.Total,
            action.Done,
            action.Skipped,
            action.Refused,
            action.Left,
            action.PerSecond,
            JsonNode.Parse(action.Filter),
            action.Found,
            action.CreatedBy,
            action.CreatedAt,
            action.ConfirmedBy,
            action.ConfirmedAt,
            action.Reason,
            action.Note,
            action.FinishedAt
        );
}
