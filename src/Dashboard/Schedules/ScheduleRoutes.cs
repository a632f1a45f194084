using Orders.Dashboard.Auth;
using Orders.Dashboard.Viewing;
using QueueWorkers.Operators;
using QueueWorkers.Scheduling;
using QueueWorkers.Scheduling.Changeable;

namespace Orders.Dashboard.Schedules;

/// <summary>Recurring work: when it is due, what became of it last, and run now, pause, resume.</summary>
internal static class ScheduleRoutes
{
    private static readonly string[] Columns =
    [
        "schedule",
        "cron",
        "time zone",
        "misfire",
        "active",
        "paused",
        "next due",
        "last due",
        "last status",
        "last result",
        "last took s",
        "misfires",
        "kind",
        "unusable because",
    ];

    public static void Map(RouteGroupBuilder pages)
    {
        pages
            .MapGet(
                "/schedules",
                async (ScheduleControl schedules, ChangeableSchedules changeable, Loader loader, HttpContext http) =>
                    Page.Of<SchedulesPage>(
                        new
                        {
                            Schedules = await loader.LoadAsync(
                                "the schedules",
                                schedules.ListAsync,
                                http.RequestAborted
                            ),
                            Kinds = await loader.LoadAsync(
                                "the kinds of schedules",
                                changeable.KindsAsync,
                                http.RequestAborted
                            ),
                        }
                    )
            )
            .Needs(OperatorRole.Viewer);
        pages
            .MapGet(
                "/schedules.csv",
                async (ScheduleControl schedules, CancellationToken cancellationToken) =>
                    Csv.File(
                        "schedules",
                        Columns,
                        (await schedules.ListAsync(cancellationToken)).Select(s =>
                            (IReadOnlyList<object?>)
                                [
                                    s.Name,
                                    s.Cron,
                                    s.TimeZone,
                                    s.Misfire,
                                    s.Active ? "yes" : "no",
                                    s.Paused ? "yes" : "no",
                                    s.NextDueAt,
                                    s.Last?.DueAt,
                                    s.Last?.Status,
                                    s.Last?.Result,
                                    s.Last?.Duration?.TotalSeconds,
                                    s.Misfires,
                                    s.Kind,
                                    s.UnusableBecause,
                                ]
                        )
                    )
            )
            .Needs(OperatorRole.Viewer);
        pages.MapPost("/schedules/{name}/{verb:regex(^(run|pause|resume)$)}", ActAsync).Needs(OperatorRole.Operator);
        ChangeableRoutes.Map(pages);
    }

    private static async Task<IResult> ActAsync(
        string name,
        string verb,
        ScheduleControl schedules,
        ScheduleConfirmation confirmation,
        HttpContext http
    )
    {
        var actor = Actor.Of(http);
        if (await Form.ReasonAsync(http) is not { } reason)
            return Back(Form.SayWhy);
        var record = actor.Did($"{verb} schedule", name, reason);
        var done = verb switch
        {
            "run" => await schedules.RunNowAsync(name, record, http.RequestAborted) is { } dueAt
                ? await confirmation.OfRunAsync(name, dueAt, http.RequestAborted)
                : null,
            "pause" => await schedules.PauseAsync(name, record, http.RequestAborted) ? $"{name} is paused." : null,
            _ => await schedules.ResumeAsync(name, record, http.RequestAborted)
                ? $"{name} is resumed with its next regular moment."
                : null,
        };
        return Back(done ?? $"Nothing was changed. {await confirmation.WhyNotAsync(name, verb, http.RequestAborted)}");
    }

    private static IResult Back(string done) => Form.Back("/schedules", done);
}
