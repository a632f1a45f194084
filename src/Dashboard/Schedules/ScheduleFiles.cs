using Orders.Dashboard.Viewing;
using QueueWorkers.Scheduling;
using QueueWorkers.Scheduling.Changeable;

namespace Orders.Dashboard.Schedules;

/// <summary>Reads what the page of one schedule shows.</summary>
internal sealed class ScheduleFiles(ScheduleControl control, ChangeableSchedules schedules, Loader loader)
{
    private const int ShownRuns = 20;

    /// <summary>The kind of a schedule; null for one of the code, or when the kind is gone.</summary>
    public async Task<ScheduleKind?> KindOfAsync(string name, CancellationToken cancellationToken) =>
        await KindOfAsync(await control.FindAsync(name, cancellationToken), cancellationToken);

    /// <summary>The page.</summary>
    public async Task<IResult> PageAsync(
        string name,
        ScheduleInput? input,
        IReadOnlyList<ScheduleProblem> problems,
        IReadOnlyList<PlannedFiring>? next,
        int status,
        HttpContext http
    )
    {
        var file = await loader.LoadAsync("the schedule", token => ReadAsync(name, token), http.RequestAborted);
        return file.Value is { View: null }
            ? Page.Of<Layout.Message>(
                new
                {
                    Title = "No such schedule",
                    Detail = "There is no schedule of this name; perhaps somebody has deleted it.",
                },
                StatusCodes.Status404NotFound
            )
            : Page.Of<SchedulePage>(
                new
                {
                    Name = name,
                    File = file,
                    Input = input,
                    Problems = problems,
                    Next = next,
                },
                status
            );
    }

    private async Task<ScheduleFile> ReadAsync(string name, CancellationToken cancellationToken)
    {
        var view = await control.FindAsync(name, cancellationToken);
        return new ScheduleFile(
            view,
            await KindOfAsync(view, cancellationToken),
            view is null ? [] : await control.RunsAsync(name, null, ShownRuns, cancellationToken)
        );
    }

    private async Task<ScheduleKind?> KindOfAsync(ScheduleView? view, CancellationToken cancellationToken) =>
        view?.Kind is { } kind
            ? (await schedules.KindsAsync(cancellationToken)).FirstOrDefault(k => k.Name == kind)
            : null;
}

/// <summary>What the page of one schedule shows.</summary>
/// <param name="View">The schedule; null when there is none.</param>
/// <param name="Kind">Its kind; null for one of the code, or when the kind is gone.</param>
/// <param name="Runs">Its newest firings.</param>
public sealed record ScheduleFile(ScheduleView? View, ScheduleKind? Kind, IReadOnlyList<FiringView> Runs);
