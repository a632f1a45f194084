using Orders.Dashboard.Api.Problems;
using Orders.Dashboard.Auth;
using Orders.Dashboard.Schedules;
using QueueWorkers.Operators;
using QueueWorkers.Scheduling;

namespace Orders.Dashboard.Api;

/// <summary>Schedules: what recurs, when it ran and what came of it; run now, pause, resume, change.</summary>
internal static class SchedulesApi
{
    private const int MostRuns = 1000;

    public static void Map(RouteGroupBuilder api)
    {
        var schedules = api.MapGroup("/schedules");
        schedules
            .MapGet(
                "",
                async (ScheduleControl control, CancellationToken cancellationToken) =>
                    Results.Ok(await control.ListAsync(cancellationToken))
            )
            .Needs(OperatorRole.Viewer);

        schedules
            .MapGet(
                "/{name}/runs",
                async (
                    string name,
                    DateTimeOffset? before,
                    int? limit,
                    ScheduleControl control,
                    CancellationToken cancellationToken
                ) =>
                    limit is < 1 or > MostRuns
                        ? ApiProblem.InvalidParameter($"limit must be 1–{MostRuns}")
                        : Results.Ok(await control.RunsAsync(name, before, limit ?? 100, cancellationToken))
            )
            .Needs(OperatorRole.Viewer);

        schedules
            .MapPost(
                "/{name}/run",
                async (
                    string name,
                    OptionalReason? because,
                    HttpContext context,
                    ScheduleControl control,
                    ScheduleConfirmation confirmation,
                    CancellationToken cancellationToken
                ) =>
                    await control.RunNowAsync(
                        name,
                        Actor.Of(context).Did("run-schedule", Target(name), because?.Reason),
                        cancellationToken
                    )
                        is { } dueAt
                        ? Results.Accepted(
                            $"/api/schedules/{name}/runs",
                            new
                            {
                                schedule = name,
                                dueAt,
                                summary = await confirmation.OfRunAsync(name, dueAt, cancellationToken),
                            }
                        )
                        : ApiProblem.NotFound(await confirmation.WhyNotAsync(name, "run", cancellationToken))
            )
            .Needs(OperatorRole.Operator);

        schedules
            .MapPost(
                "/{name}/pause",
                async (
                    string name,
                    OptionalReason? because,
                    HttpContext context,
                    ScheduleControl control,
                    ScheduleConfirmation confirmation,
                    CancellationToken cancellationToken
                ) =>
                    await control.PauseAsync(
                        name,
                        Actor.Of(context).Did("pause-schedule", Target(name), because?.Reason),
                        cancellationToken
                    )
                        ? Results.NoContent()
                        : ApiProblem.Conflict(
                            "schedule-state",
                            await confirmation.WhyNotAsync(name, "pause", cancellationToken)
                        )
            )
            .Needs(OperatorRole.Operator);

        schedules.MapPost("/{name}/resume", ResumeAsync).Needs(OperatorRole.Operator);
        schedules.MapPut("/{name}", ChangeAsync).Needs(OperatorRole.Operator);
    }

    private static async Task<IResult> ResumeAsync(
        string name,
        OptionalReason? because,
        HttpContext context,
        ScheduleControl control,
        ScheduleConfirmation confirmation,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return await control.ResumeAsync(
                name,
                Actor.Of(context).Did("resume-schedule", Target(name), because?.Reason),
                cancellationToken
            )
                ? Results.NoContent()
                : ApiProblem.Conflict(
                    "schedule-state",
                    await confirmation.WhyNotAsync(name, "resume", cancellationToken)
                );
        }
        catch (FormatException unusable)
        {
            return ApiProblem.Unprocessable("unusable-schedule", unusable.Message);
        }
    }

    private static async Task<IResult> ChangeAsync(
        string name,
        ScheduleChange change,
        HttpContext context,
        ScheduleControl control,
        CancellationToken cancellationToken
    )
    {
        if (!Enum.IsDefined(change.Misfire))
            return ApiProblem.InvalidParameter($"misfire must be one of {string.Join(", ", Enum.GetNames<Misfire>())}");
        try
        {
            var audit = Actor
                .Of(context)
                .Did(
                    "change-schedule",
                    $"{Target(name)}: {change.Cron}, {change.TimeZone}, {change.Misfire}",
                    change.Reason
                );
            return await control.ChangeAsync(
                name,
                change.Cron,
                change.TimeZone,
                change.Misfire,
                audit,
                cancellationToken
            )
                ? Results.NoContent()
                : Unknown(name);
        }
        catch (FormatException unusable)
        {
            return ApiProblem.Unprocessable("unusable-schedule", unusable.Message);
        }
    }

    private static string Target(string name) => $"schedule {name}";

    private static IResult Unknown(string name) =>
        ApiProblem.NotFound(
            $"This version has no schedule '{name}' in its code; GET /api/schedules lists all. One with a kind is changed with PATCH."
        );

    private sealed record ScheduleChange(string Cron, string TimeZone, Misfire Misfire, string? Reason = null);
}

/// <summary>Why an operator does something, for the audit record.</summary>
/// <param name="Reason">In the operator's words.</param>
internal sealed record OptionalReason(string? Reason = null);
