using Orders.Dashboard.Auth;
using Orders.Dashboard.Viewing;
using QueueWorkers.Clocks;
using QueueWorkers.Operators;
using QueueWorkers.Scheduling.Changeable;

namespace Orders.Dashboard.Schedules;

/// <summary>
/// The page of one schedule, and the forms that create, change and delete those that operators have created. A form is
/// looked at first: its button shows the next firings and saves nothing.
/// </summary>
internal static class ChangeableRoutes
{
    public static void Map(RouteGroupBuilder pages)
    {
        pages.MapGet("/schedules/new", NewAsync).Needs(OperatorRole.Viewer);
        pages.MapPost("/schedules/new", CreateAsync).Needs(OperatorRole.Operator);
        pages
            .MapGet(
                "/schedules/{name}",
                (string name, ScheduleFiles files, HttpContext http) => files.PageAsync(name, null, [], null, 200, http)
            )
            .Needs(OperatorRole.Viewer);
        pages.MapPost("/schedules/{name}/change", ChangeAsync).Needs(OperatorRole.Operator);
        pages.MapPost("/schedules/{name}/delete", DeleteAsync).Needs(OperatorRole.Operator);
    }

    private static async Task<IResult> NewAsync(string? kind, ChangeableSchedules schedules, HttpContext http) =>
        await KindAsync(kind, schedules, http) is { } known ? New(known, ScheduleInput.Empty, [], null) : NoKind();

    private static async Task<IResult> CreateAsync(string? kind, ChangeableSchedules schedules, HttpContext http)
    {
        if (await KindAsync(kind, schedules, http) is not { } known)
            return NoKind();
        var input = await ScheduleInput.ReadAsync(http);
        var (problems, preview) = Look(input, known);
        if (!input.IsSaved || problems.Count > 0)
            return New(known, input, problems, preview);
        try
        {
            var (name, _) = await schedules.CreateAsync(
                known.Name,
                input.Name,
                input.Draft(),
                target => Actor.Of(http).Did("create-schedule", target, input.Reason),
                http.RequestAborted
            );
            return Form.Back($"/schedules/{name}", $"{name} is created.");
        }
        catch (ScheduleRefusedException refused)
        {
            return New(known, input, refused.Problems, preview, StatusOf(refused));
        }
    }

    private static async Task<IResult> ChangeAsync(
        string name,
        ScheduleFiles files,
        ChangeableSchedules schedules,
        HttpContext http
    )
    {
        var input = await ScheduleInput.ReadAsync(http);
        var kind = await files.KindOfAsync(name, http.RequestAborted);
        var (problems, preview) = kind is null ? ([], null) : Look(input, kind);
        if (!input.IsSaved || problems.Count > 0)
            return await files.PageAsync(name, input, problems, preview, problems.Count > 0 ? 400 : 200, http);
        if (input.Revision is not { } seen)
            return Form.Back($"/schedules/{name}", "Nothing was changed: the form has no revision. Send it again.");
        try
        {
            await schedules.ChangeAsync(
                name,
                seen,
                _ => input.Draft(),
                target => Actor.Of(http).Did("change-schedule", target, input.Reason),
                http.RequestAborted
            );
            return Form.Back($"/schedules/{name}", $"{name} is changed.");
        }
        catch (ScheduleRefusedException refused)
        {
            return await files.PageAsync(name, input, refused.Problems, preview, StatusOf(refused), http);
        }
    }

    private static async Task<IResult> DeleteAsync(
        string name,
        ScheduleFiles files,
        ChangeableSchedules schedules,
        HttpContext http
    )
    {
        if (await Form.ReasonAsync(http) is not { } reason)
            return Form.Back($"/schedules/{name}", Form.SayWhy);
        var input = await ScheduleInput.ReadAsync(http);
        if (input.Revision is not { } seen)
            return Form.Back($"/schedules/{name}", "Nothing was changed: the form has no revision. Send it again.");
        try
        {
            await schedules.DeleteAsync(
                name,
                seen,
                Actor.Of(http).Did("delete-schedule", $"schedule {name}", reason),
                http.RequestAborted
            );
            return Form.Back("/schedules", $"{name} is deleted.");
        }
        catch (ScheduleRefusedException refused)
        {
            return await files.PageAsync(name, null, refused.Problems, null, StatusOf(refused), http);
        }
    }

    private static (List<ScheduleProblem> Problems, IReadOnlyList<PlannedFiring>? Next) Look(
        ScheduleInput input,
        ScheduleKind kind
    )
    {
        var problems = new List<ScheduleProblem>();
        var (cron, _) = input.Draft().Check(kind, problems);
        if (input.IsSaved && input.Reason.Length is 0 or > Form.LongestReason)
            problems.Add(
                new ScheduleProblem("reason", $"Expected a reason of at most {Form.LongestReason} characters.")
            );
        return (problems, cron is null ? null : PlannedFiring.Next(cron, DatabaseClock.UtcNow));
    }

    private static async Task<ScheduleKind?> KindAsync(string? name, ChangeableSchedules schedules, HttpContext http) =>
        (await schedules.KindsAsync(http.RequestAborted)).FirstOrDefault(k => k.Name == name);

    private static PageResult<NewSchedulePage> New(
        ScheduleKind kind,
        ScheduleInput input,
        IReadOnlyList<ScheduleProblem> problems,
        IReadOnlyList<PlannedFiring>? next,
        int? status = null
    ) =>
        Page.Of<NewSchedulePage>(
            new
            {
                Kind = kind,
                Input = input,
                Problems = problems,
                Next = next,
            },
            status ?? (problems.Count > 0 ? StatusCodes.Status400BadRequest : StatusCodes.Status200OK)
        );

    private static PageResult<Layout.Message> NoKind() =>
        Page.Of<Layout.Message>(
            new
            {
                Title = "No such kind of schedules",
                Detail = "The deployed version has no kind of this name. The page of schedules lists the kinds.",
            },
            StatusCodes.Status404NotFound
        );

    private static int StatusOf(ScheduleRefusedException refused) =>
        refused.Refusal switch
        {
            ScheduleRefusal.NotFound => StatusCodes.Status404NotFound,
            ScheduleRefusal.Conflict => StatusCodes.Status409Conflict,
            ScheduleRefusal.Stale => StatusCodes.Status412PreconditionFailed,
            _ => StatusCodes.Status400BadRequest,
        };
}
