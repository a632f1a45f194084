using System.Text.Json;
using System.Text.Json.Nodes;
using Orders.Dashboard.Auth;
using Orders.Infrastructure.Failures;
using Orders.Infrastructure.Operators;
using Orders.Infrastructure.Redrive;

namespace Orders.Dashboard.Api;

/// <summary>Failures: found, looked at, put away, brought back, edited.</summary>
internal static class FailuresApi
{
    public static void Map(RouteGroupBuilder api)
    {
        api.MapGet("/failures", ([AsParameters] FailureQuery query, FailureSearch search, CancellationToken cancellationToken) => ApiProblem.GuardAsync(async () =>
            query.Limit is < 1 or > 500
                ? ApiProblem.InvalidParameter("limit must be 1–500")
                : Results.Ok(await search.PageAsync(query.ToFilter(), query.After, query.Limit ?? 50, cancellationToken)))).Needs(OperatorRole.Viewer);

        api.MapGet("/failures/groups", ([AsParameters] FailureQuery query, FailureSearch search, CancellationToken cancellationToken) =>
            ApiProblem.GuardAsync(async () => Results.Ok(await search.GroupsAsync(query.ToFilter(), cancellationToken)))).Needs(OperatorRole.Viewer);

        api.MapGet("/failures/{id:guid}", async (Guid id, FailureSearch search, CancellationToken cancellationToken) =>
            await search.FindAsync(id, cancellationToken) is { } failure ? Results.Ok(FailureView.Of(failure)) : ApiProblem.NotFound($"There is no failure {id}.")).Needs(OperatorRole.Viewer);

        api.MapPost("/failures/look", (LookRequest request, FailureReconciler reconciler, CancellationToken cancellationToken) => ApiProblem.GuardAsync(async () =>
            await reconciler.LookAsync(request.Queue, cancellationToken) is { } result ? Results.Ok(result) : ApiProblem.Conflict("busy", "Another process is looking at this queue right now; try again."))).Needs(OperatorRole.Operator);

        api.MapPost("/failures/archive", (HttpContext context, ArchiveRequest request, FailureArchive archive, CancellationToken cancellationToken) => ApiProblem.GuardAsync(async () =>
            string.IsNullOrWhiteSpace(request.Reason)
                ? ApiProblem.InvalidParameter("reason must say why")
                : Results.Ok(new { archived = await archive.ArchiveAsync(request.Filter, Actor.Of(context).Did("archive", reason: request.Reason), cancellationToken) }))).Needs(OperatorRole.Operator);

        api.MapPost("/failures/restore", (HttpContext context, RestoreRequest request, FailureArchive archive, CancellationToken cancellationToken) => ApiProblem.GuardAsync(async () =>
            string.IsNullOrWhiteSpace(request.Reason)
                ? ApiProblem.InvalidParameter("reason must say why")
                : Results.Ok(new { restored = await archive.RestoreAsync(request.Ids, Actor.Of(context).Did("restore", string.Join(", ", request.Ids.Take(20)), request.Reason), cancellationToken) }))).Needs(OperatorRole.Operator);

        api.MapPost("/failures/{id:guid}/edit", (HttpContext context, Guid id, EditRequest request, FailureSearch search, PayloadEdits edits, Redrives redrives, CancellationToken cancellationToken) =>
            ApiProblem.GuardAsync(() => EditAsync(context, id, request, search, edits, redrives, cancellationToken))).Needs(OperatorRole.Admin);
    }

    private static async Task<IResult> EditAsync(HttpContext context, Guid id, EditRequest request, FailureSearch search, PayloadEdits edits, Redrives redrives, CancellationToken cancellationToken)
    {
        if (string.IsNullOrWhiteSpace(request.Reason))
            return ApiProblem.InvalidParameter("reason must say why");
        if (await search.FindAsync(id, cancellationToken) is not { } failure)
            return ApiProblem.NotFound($"There is no failure {id}.");
        var payload = edits.Checked(failure, request.Payload.ToJsonString());
        var diff = PayloadDiff.Between(failure.Payload, payload);
        if (request.Preview)
            return Results.Ok(new { diff = JsonNode.Parse(diff) });
        // The diff stands in the audit record as what was chosen: who changed which member of which message.
        var (made, refused) = await redrives.CreateAsync(
            new RedriveRequest { Filter = new FailureFilter { Ids = [id] }, Reason = request.Reason, Canary = 0, Start = true },
            Actor.Of(context).Did("edit and redrive", reason: $"{request.Reason} (changed: {diff})"), payload, cancellationToken);
        return made is not null ? Results.Accepted($"/api/redrives/{made.Redrive.Id}", made) : RedrivesApi.Refused(refused!);
    }
}

/// <summary>The filter of the failures, as a query string.</summary>
internal sealed record FailureQuery(
    FailureState? State, string? Step, string? Queue, string? Fault, string? Group, string? Type, string? Order, string? Customer, string? Build, DateTimeOffset? From, DateTimeOffset? To, string? Text, string? Path,
    Guid? After, int? Limit)
{
    public FailureFilter ToFilter() => new()
    {
        State = State,
        Step = Step,
        Queue = Queue,
        Fault = Fault,
        Group = Group,
        Type = Type,
        Order = Order,
        Customer = Customer,
        Build = Build,
        From = From,
        To = To,
        Text = Text,
        Path = Path,
    };
}

/// <summary>A queue to look through now.</summary>
internal sealed record LookRequest(string Queue);

/// <summary>What to archive and why.</summary>
internal sealed record ArchiveRequest(FailureFilter Filter, string Reason);

/// <summary>What to restore and why.</summary>
internal sealed record RestoreRequest(IReadOnlyList<Guid> Ids, string Reason);

/// <summary>A payload to send in place of the original, and why.</summary>
internal sealed record EditRequest(JsonObject Payload, string Reason, bool Preview = false);

/// <summary>A failure with its payload and headers as JSON, and its body as text, when it is some; the failure itself has it in base64.</summary>
internal sealed record FailureView(Failure Failure, JsonElement? Payload, JsonElement Headers, string? Text, JsonElement? Edit)
{
    public static FailureView Of(Failure failure)
    {
        var text = System.Text.Encoding.UTF8.GetString(failure.Body);
        return new FailureView(failure, Parse(failure.Payload), Parse(failure.Headers) ?? default, text.Contains('\uFFFD', StringComparison.Ordinal) ? null : text, Parse(failure.Edit));
    }

    private static JsonElement? Parse(string? json) => json is null ? null : JsonSerializer.Deserialize<JsonElement>(json);
}
