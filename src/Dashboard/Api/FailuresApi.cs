using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.Extensions.Options;
using Orders.Dashboard.Api.Problems;
using Orders.Dashboard.Auth;
using Orders.Dashboard.Failures;
using QueueWorkers.DeadLetters;
using QueueWorkers.DeadLetters.Reconciliation;
using QueueWorkers.DeadLetters.Search;
using QueueWorkers.Messaging;
using QueueWorkers.Operators;
using QueueWorkers.Redrive;
using QueueWorkers.Redrive.Payloads;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Orders.Dashboard.Api;

/// <summary>Failures: found, looked at, put away, brought back, edited.</summary>
internal static class FailuresApi
{
    public static void Map(RouteGroupBuilder api)
    {
        api.MapGet(
                "/failures",
                ([AsParameters] FailureQuery query, FailureSearch search, CancellationToken cancellationToken) =>
                    ApiProblem.GuardAsync(async () =>
                        query.Limit is < 1 or > 500
                            ? ApiProblem.InvalidParameter("limit must be 1–500")
                            : Results.Ok(
                                await search.PageAsync(
                                    query.ToFilter(),
                                    query.After,
                                    query.Limit ?? 50,
                                    cancellationToken
                                )
                            )
                    )
            )
            .Needs(OperatorRole.Viewer);

        api.MapPost("/failures/search", SearchAsync).Needs(OperatorRole.Admin);

        api.MapGet(
                "/failures/groups",
                ([AsParameters] FailureQuery query, FailureSearch search, CancellationToken cancellationToken) =>
                    ApiProblem.GuardAsync(async () =>
                        Results.Ok(await search.GroupsAsync(query.ToFilter(), cancellationToken))
                    )
            )
            .Needs(OperatorRole.Viewer);

        api.MapGet(
                "/failures/{id:guid}",
                async (
                    Guid id,
                    FailureSearch search,
                    IMessageContracts contracts,
                    IOptions<JsonOptions> json,
                    CancellationToken cancellationToken
                ) =>
                    await search.FindAsync(id, cancellationToken) is { } failure
                        ? Results.Ok(FailureView.Of(failure, contracts, json.Value.SerializerOptions))
                        : NoFailure(id)
            )
            .Needs(OperatorRole.Viewer);

        api.MapPost("/failures/{id:guid}/reveal", RevealAsync).Needs(OperatorRole.Admin);

        api.MapPost("/failures/look", LookAsync).Needs(OperatorRole.Operator);

        api.MapPost(
                "/failures/archive",
                (
                    HttpContext context,
                    ArchiveRequest request,
                    FailureArchive archive,
                    CancellationToken cancellationToken
                ) =>
                    ApiProblem.GuardAsync(async () =>
                        string.IsNullOrWhiteSpace(request.Reason)
                            ? ApiProblem.InvalidParameter("reason must say why")
                            : Results.Ok(
                                new
                                {
                                    archived = await archive.ArchiveAsync(
                                        request.Filter,
                                        Actor.Of(context).Did("archive", reason: request.Reason),
                                        cancellationToken
                                    ),
                                }
                            )
                    )
            )
            .Needs(OperatorRole.Operator);

        api.MapPost(
                "/failures/restore",
                (
                    HttpContext context,
                    RestoreRequest request,
                    FailureArchive archive,
                    CancellationToken cancellationToken
                ) =>
                    ApiProblem.GuardAsync(async () =>
                        string.IsNullOrWhiteSpace(request.Reason)
                            ? ApiProblem.InvalidParameter("reason must say why")
                            : Results.Ok(
                                new
                                {
                                    restored = await archive.RestoreAsync(
                                        request.Ids,
                                        Actor
                                            .Of(context)
                                            .Did("restore", string.Join(", ", request.Ids.Take(20)), request.Reason),
                                        cancellationToken
                                    ),
                                }
                            )
                    )
            )
            .Needs(OperatorRole.Operator);

        api.MapPost(
                "/failures/{id:guid}/edit",
                (
                    HttpContext context,
                    Guid id,
                    EditRequest request,
                    FailureSearch search,
                    PayloadEdits edits,
                    Redrives redrives,
                    IMessageContracts contracts,
                    AuditLog audit,
                    CancellationToken cancellationToken
                ) =>
                    ApiProblem.GuardAsync(() =>
                        EditAsync(context, id, request, search, edits, redrives, contracts, audit, cancellationToken)
                    )
            )
            .Needs(OperatorRole.Admin);
    }

    // What a search of masked payloads finds says what stands in them: it needs what seeing them needs.
    private static Task<IResult> SearchAsync(
        SearchRequest request,
        HttpContext context,
        FailureSearch search,
        AuditLog audit,
        CancellationToken cancellationToken
    ) =>
        ApiProblem.GuardAsync(async () =>
        {
            if (string.IsNullOrWhiteSpace(request.Reason) || request.Reason.Length > 500)
                return ApiProblem.InvalidParameter("reason must say why, in at most 500 characters");
            if (request.Limit is < 1 or > 500)
                return ApiProblem.InvalidParameter("limit must be 1–500");
            if (request.Filter is not { } filter)
                return ApiProblem.InvalidParameter("filter must say which failures");
            var page = await search.PageAsync(
                filter with
                {
                    InMaskedPayloads = true,
                },
                request.After,
                request.Limit ?? 50,
                cancellationToken
            );
            // Before anybody sees it, and not for a filter that cannot be used.
            await Unmasking.RecordSearchAsync(audit, Actor.Of(context), filter, request.Reason, cancellationToken);
            return Results.Ok(page);
        });

    // A POST, although it changes nothing: it leaves a record, and an address with a reason in it would stand in logs.
    private static async Task<IResult> RevealAsync(
        Guid id,
        ReasonRequest request,
        HttpContext context,
        FailureSearch search,
        AuditLog audit,
        IOptions<JsonOptions> json,
        CancellationToken cancellationToken
    )
    {
        if (string.IsNullOrWhiteSpace(request.Reason))
            return ApiProblem.InvalidParameter("reason must say why");
        if (await search.FindAsync(id, cancellationToken) is not { } failure)
            return NoFailure(id);
        await Unmasking.RecordAsync(audit, Actor.Of(context), id, request.Reason, cancellationToken);
        return Results.Ok(FailureView.Whole(failure, json.Value.SerializerOptions));
    }

    private static async Task<IResult> EditAsync(
        HttpContext context,
        Guid id,
        EditRequest request,
        FailureSearch search,
        PayloadEdits edits,
        Redrives redrives,
        IMessageContracts contracts,
        AuditLog audit,
        CancellationToken cancellationToken
    )
    {
        if (string.IsNullOrWhiteSpace(request.Reason))
            return ApiProblem.InvalidParameter("reason must say why");
        if (await search.FindAsync(id, cancellationToken) is not { } failure)
            return NoFailure(id);
        var payload = edits.Checked(failure, request.Payload.ToJsonString());
        var diff = JsonNode.Parse(PayloadDiff.Between(failure.Payload, payload));
        if (request.Preview)
        {
            // What the change shows of the original is a look at it like any other.
            if (ShownPayload.Masked(failure, contracts).Hides)
                await Unmasking.RecordAsync(audit, Actor.Of(context), id, request.Reason, cancellationToken);
            return Results.Ok(new { diff });
        }

        // The diff stands in the audit record as what was chosen: who changed which member of which message. With
        // masks: the record is for ever, and everybody may read it.
        var changed = PayloadMask
            .OfDifferences(
                diff,
                ShownPayload.ContractOf(failure.MessageType, contracts),
                failure.Payload is null ? null : JsonNode.Parse(failure.Payload)
            )
            .ToJsonString();
        var (made, refused) = await redrives.CreateAsync(
            new RedriveRequest
            {
                Filter = new FailureFilter { Ids = [id] },
                Reason = request.Reason,
                Canary = 0,
                Start = true,
            },
            Actor.Of(context).Did("edit and redrive", reason: $"{request.Reason} (changed: {changed})"),
            payload,
            cancellationToken
        );
        return made is not null
            ? Results.Accepted($"/api/redrives/{made.Redrive.Id}", made)
            : RedrivesApi.Refused(refused!);
    }

    /// <summary>
    /// Only a dead-letter queue: a look holds what is in the queue and indexes it as failed, so a step's own queue would
    /// have its fresh messages counted as failures.
    /// </summary>
    private static async Task<IResult> LookAsync(
        LookRequest request,
        FailureReconciler reconciler,
        CancellationToken cancellationToken
    )
    {
        if (!await reconciler.KnowsAsync(request.Queue, cancellationToken))
            return ApiProblem.NotFound(
                "There is no dead-letter queue of this name; they are STEP_error, STEP_skipped and unrouted."
            );
        try
        {
            return await reconciler.LookAsync(request.Queue, cancellationToken) is { } result
                ? Results.Ok(result)
                : ApiProblem.Conflict("busy", "Another process is looking at this queue right now; try again.");
        }
        catch (OperationInterruptedException gone) when (gone.ShutdownReason?.ReplyCode == Constants.NotFound)
        {
            return ApiProblem.NotFound("This dead-letter queue is not at the broker; nothing has failed in it.");
        }
    }

    private static IResult NoFailure(Guid id) => ApiProblem.NotFound($"There is no failure {id}.");
}

/// <summary>The filter of the failures, as a query string.</summary>
internal sealed record FailureQuery(
    FailureState? State,
    string? Step,
    string? Queue,
    string? Fault,
    string? Group,
    string? Type,
    string? Order,
    string? Customer,
    string? Build,
    DateTimeOffset? From,
    DateTimeOffset? To,
    string? Text,
    string? Path,
    Guid? After,
    int? Limit
)
{
    public FailureFilter ToFilter() =>
        new()
        {
            State = State,
            Step = Step,
            Queue = Queue,
            Fault = Fault,
            Group = Group,
            Type = Type,
            Subject = Order,
            Owner = Customer,
            Build = Build,
            From = From,
            To = To,
            Text = Text,
            Path = Path,
        };
}

/// <summary>A queue to look through now.</summary>
internal sealed record LookRequest(string Queue);

/// <summary>What to look for in masked payloads as well, and why.</summary>
internal sealed record SearchRequest(FailureFilter Filter, string Reason, Guid? After = null, int? Limit = null);

/// <summary>What to archive and why.</summary>
internal sealed record ArchiveRequest(FailureFilter Filter, string Reason);

/// <summary>What to restore and why.</summary>
internal sealed record RestoreRequest(IReadOnlyList<Guid> Ids, string Reason);

/// <summary>A payload to send in place of the original, and why.</summary>
internal sealed record EditRequest(JsonObject Payload, string Reason, bool Preview = false);
