using System.Text.Json.Nodes;
using Microsoft.Net.Http.Headers;
using Orders.Dashboard.Api;
using Orders.Dashboard.Api.Problems;
using Orders.Dashboard.Auth;
using QueueWorkers.Clocks;
using QueueWorkers.Operators;
using QueueWorkers.Scheduling;
using QueueWorkers.Scheduling.Changeable;

namespace Orders.Dashboard.Schedules;

/// <summary>
/// Schedules that operators create, change and delete, and what is to come of a cron text. Two operators who change a
/// schedule at a time do not undo each other: a change names the revision that its operator has read (RFC 9110,
/// If-Match).
/// </summary>
internal static class ChangeableApi
{
    public static void Map(RouteGroupBuilder api)
    {
        api.MapGet(
                "/schedule-kinds",
                async (ChangeableSchedules schedules, CancellationToken cancellationToken) =>
                    Results.Ok(await schedules.KindsAsync(cancellationToken))
            )
            .Needs(OperatorRole.Viewer);
        var all = api.MapGroup("/schedules");
        all.MapGet("/preview", PreviewAsync).Needs(OperatorRole.Viewer);
        all.MapGet("/{name}", GetAsync).Needs(OperatorRole.Viewer);
        all.MapPost("", CreateAsync).Needs(OperatorRole.Operator);
        all.MapPatch("/{name}", ChangeAsync).Needs(OperatorRole.Operator);
        all.MapPost("/{name}/delete", DeleteAsync).Needs(OperatorRole.Operator);
    }

    private static async Task<IResult> PreviewAsync(
        string? cron,
        string? timeZone,
        string? kind,
        ChangeableSchedules schedules,
        CancellationToken cancellationToken
    )
    {
        var problems = new List<ScheduleProblem>();
        TimeSpan? smallest = null;
        if (kind is not null)
        {
            smallest = (await schedules.KindsAsync(cancellationToken))
                .FirstOrDefault(k => k.Name == kind)
                ?.SmallestInterval;
            if (smallest is null)
                problems.Add(
                    new ScheduleProblem("kind", "Expected a kind of GET /api/schedule-kinds, found another word.")
                );
        }

        var text = ScheduleDraft.CheckCron(cron ?? "", timeZone ?? "UTC", smallest, problems);
        return problems.Count > 0 || text is null
            ? Invalid(problems)
            : Results.Ok(
                new
                {
                    cron,
                    timeZone = text.Zone.Id,
                    next = PlannedFiring.Next(text, DatabaseClock.UtcNow),
                }
            );
    }

    private static async Task<IResult> GetAsync(
        string name,
        HttpContext context,
        ScheduleControl control,
        CancellationToken cancellationToken
    )
    {
        if (await control.FindAsync(name, cancellationToken) is not { } schedule)
            return ApiProblem.NotFound($"There is no schedule '{name}'. GET /api/schedules lists them.");
        context.Response.Headers.ETag = Tag(schedule.Revision);
        return Results.Ok(new { schedule, next = Upcoming.Of(schedule) });
    }

    private static Task<IResult> CreateAsync(
        ScheduleCreation wanted,
        HttpContext context,
        ChangeableSchedules schedules,
        CancellationToken cancellationToken
    ) =>
        GuardAsync(async () =>
        {
            var (name, revision) = await schedules.CreateAsync(
                wanted.Kind ?? "",
                wanted.Name ?? "",
                new ScheduleDraft(wanted.Cron ?? "", wanted.TimeZone ?? "UTC", wanted.Misfire, wanted.Payload),
                target => Actor.Of(context).Did("create-schedule", target, wanted.Reason),
                cancellationToken
            );
            context.Response.Headers.ETag = Tag(revision);
            return Results.Created($"/api/schedules/{name}", new { schedule = name, revision });
        });

    private static Task<IResult> ChangeAsync(
        string name,
        SchedulePatch patch,
        HttpContext context,
        ChangeableSchedules schedules,
        CancellationToken cancellationToken
    ) =>
        WithRevisionAsync(
            context,
            async seen =>
            {
                var revision = await schedules.ChangeAsync(
                    name,
                    seen,
                    patch.Of,
                    target => Actor.Of(context).Did("change-schedule", target, patch.Reason),
                    cancellationToken
                );
                context.Response.Headers.ETag = Tag(revision);
                return Results.Ok(new { schedule = name, revision });
            }
        );

    private static Task<IResult> DeleteAsync(
        string name,
        OptionalReason? because,
        HttpContext context,
        ChangeableSchedules schedules,
        CancellationToken cancellationToken
    ) =>
        WithRevisionAsync(
            context,
            async seen =>
            {
                await schedules.DeleteAsync(
                    name,
                    seen,
                    Actor.Of(context).Did("delete-schedule", $"schedule {name}", because?.Reason),
                    cancellationToken
                );
                return Results.NoContent();
            }
        );

    // The header is asked for before anything is read: who sends none has not read the schedule, and would undo what he
    // does not know.
    private static Task<IResult> WithRevisionAsync(HttpContext context, Func<Guid?, Task<IResult>> change)
    {
        if (context.Request.Headers.IfMatch.Count == 0)
            return Task.FromResult(
                ApiProblem.Of(
                    StatusCodes.Status428PreconditionRequired,
                    "precondition-required",
                    "The revision that was read is required.",
                    "Expected the header If-Match with the ETag of GET /api/schedules/{name}, found none. Read the schedule, then send its ETag."
                )
            );
        return RevisionIn(context.Request.GetTypedHeaders().IfMatch) is { } seen
            ? GuardAsync(() => change(seen.Revision))
            : Task.FromResult(
                ApiProblem.InvalidParameter(
                    "Expected If-Match with the one ETag of GET /api/schedules/{name}, or *, found something else. Send the header as it was received."
                )
            );
    }

    // Without a revision, any: "*". Null for what is no tag of ours.
    private static SeenRevision? RevisionIn(IList<EntityTagHeaderValue> tags) =>
        tags.Count != 1 || tags[0].IsWeak ? null
        : tags[0].Tag == "*" ? new SeenRevision(null)
        : Guid.TryParse(tags[0].Tag.AsSpan().Trim('"'), out var revision) ? new SeenRevision(revision)
        : null;

    private static async Task<IResult> GuardAsync(Func<Task<IResult>> action)
    {
        try
        {
            return await action();
        }
        catch (ScheduleRefusedException refused)
        {
            return refused.Refusal switch
            {
                ScheduleRefusal.NotFound => ApiProblem.NotFound(refused.Message),
                ScheduleRefusal.Conflict => ApiProblem.Conflict("schedule-conflict", refused.Message),
                ScheduleRefusal.Stale => ApiProblem.Of(
                    StatusCodes.Status412PreconditionFailed,
                    "changed-meanwhile",
                    "Somebody has changed it since it was read.",
                    refused.Message
                ),
                _ => Invalid(refused.Problems),
            };
        }
    }

    private static IResult Invalid(IReadOnlyList<ScheduleProblem> problems) =>
        ApiProblem.Of(
            StatusCodes.Status400BadRequest,
            "invalid-schedule",
            "The schedule cannot be used.",
            ScheduleProblem.Say(problems),
            ("errors", problems)
        );

    private static string Tag(Guid revision) => $"\"{revision}\"";

    private sealed record SeenRevision(Guid? Revision);

    private sealed record ScheduleCreation(
        string? Kind,
        string? Name,
        string? Cron,
        string? TimeZone = null,
        Misfire Misfire = Misfire.Once,
        JsonObject? Payload = null,
        string? Reason = null
    );

    /// <summary>What is left out stays as it is; a field of the payload that is null is removed (RFC 7396).</summary>
    private sealed record SchedulePatch(
        string? Cron = null,
        string? TimeZone = null,
        Misfire? Misfire = null,
        JsonObject? Payload = null,
        string? Reason = null
    )
    {
        public ScheduleDraft Of(ScheduleDraft present) =>
            new(
                Cron ?? present.Cron,
                TimeZone ?? present.TimeZone,
                Misfire ?? present.Misfire,
                Merged(present.Payload ?? new JsonObject())
            );

        private JsonObject Merged(JsonObject present)
        {
            foreach (var (field, value) in Payload ?? new JsonObject())
                present[field] = value?.DeepClone();
            return present;
        }
    }
}
