using Orders.Dashboard.Auth;
using Orders.Dashboard.Layout;
using Orders.Dashboard.Viewing;
using Orders.Infrastructure.Failures;
using QueueWorkers.FlowControl.Workers;
using QueueWorkers.Monitoring;
using QueueWorkers.Operators;

namespace Orders.Dashboard.WorkerPages;

/// <summary>
/// Worker processes: all and one, what they run; one is drained and given back, through the class that the operator API
/// uses.
/// </summary>
internal static class ProcessRoutes
{
    private static readonly string[] Columns =
    [
        "id",
        "host",
        "process",
        "state",
        "version",
        "steps",
        "running",
        "started",
        "last seen",
        "stopped",
        "drain asked",
        "drained",
    ];
    private static readonly string[] RunColumns = ["step", "order", "message", "attempt", "since", "worker", "host"];

    public static void Map(RouteGroupBuilder pages)
    {
        // What cannot be read leaves the last ones in place: a page does not swap in a 5xx.
        pages
            .MapGet(
                "/workers/processes",
                async (string? fold, WorkerReader workers, OrderFailures orders, Loader loader, HttpContext http) =>
                    await loader.LoadAsync(
                        "the workers",
                        token => WorkersNow.ReadAsync(workers, orders, token),
                        http.RequestAborted
                    )
                        is var now
                    && now.Fault is null
                        ? Page.Of<ProcessesView>(new { Of = now, Fold = fold })
                        : (IResult)Results.StatusCode(StatusCodes.Status503ServiceUnavailable)
            )
            .Needs(OperatorRole.Viewer);
        pages
            .MapGet(
                "/workers.csv",
                async (WorkerReader workers, TimeProvider time, CancellationToken cancellationToken) =>
                    Csv.File(
                        "workers",
                        Columns,
                        (await workers.ReadAsync(cancellationToken)).Select(w =>
                            (IReadOnlyList<object?>)
                                [
                                    w.Id,
                                    w.Host,
                                    w.ProcessId,
                                    WorkersNow.StateOf(w, time.GetUtcNow()).Word,
                                    w.Version,
                                    string.Join(' ', w.Steps),
                                    w.Running,
                                    w.StartedAt,
                                    w.LastSeenAt,
                                    w.StoppedAt,
                                    w.DrainAskedAt,
                                    w.IsDrained ? w.DrainedAt : null,
                                ]
                        )
                    )
            )
            .Needs(OperatorRole.Viewer);
        pages
            .MapGet(
                "/workers/running.csv",
                async (WorkerReader workers, CancellationToken cancellationToken) =>
                    Csv.File(
                        "running",
                        RunColumns,
                        (await workers.ReadAsync(cancellationToken)).SelectMany(w =>
                            w.Runs.Select(r =>
                                (IReadOnlyList<object?>)
                                    [r.Step, r.SubjectId, r.MessageId, r.Attempt, r.Since, w.Id, w.Host]
                            )
                        )
                    )
            )
            .Needs(OperatorRole.Viewer);
        pages
            .MapGet(
                "/workers/{id:guid}",
                async (Guid id, WorkerReader workers, OrderFailures orders, Loader loader, HttpContext http) =>
                {
                    var now = await loader.LoadAsync(
                        "the worker",
                        token => WorkersNow.FindAsync(id, workers, orders, token),
                        http.RequestAborted
                    );
                    return now is { Value.Workers: [] }
                        ? Page.Of<Message>(
                            new
                            {
                                Title = "No such worker",
                                Detail = $"There is no worker {id}. One that has not reported itself for a day is forgotten.",
                            },
                            StatusCodes.Status404NotFound
                        )
                        : (IResult)Page.Of<WorkerPage>(new { Of = now });
                }
            )
            .Needs(OperatorRole.Viewer);
        pages
            .MapGet(
                "/workers/{id:guid}/now",
                async (Guid id, WorkerReader workers, OrderFailures orders, CancellationToken cancellationToken) =>
                    await WorkersNow.FindAsync(id, workers, orders, cancellationToken) is { Workers: [_] } now
                        ? Page.Of<WorkerView>(new { Now = now })
                        : (IResult)Results.NotFound()
            )
            .Needs(OperatorRole.Viewer);
        pages
            .MapPost(
                "/workers/{id:guid}/drain",
                (
                    Guid id,
                    WorkerDrains drains,
                    WorkerAcknowledgements answers,
                    WorkerReader workers,
                    HttpContext http
                ) => ActAsync(id, "drain-worker", drains.DrainAsync, answers, workers, http)
            )
            .Needs(OperatorRole.Operator);
        pages
            .MapPost(
                "/workers/{id:guid}/undrain",
                (
                    Guid id,
                    WorkerDrains drains,
                    WorkerAcknowledgements answers,
                    WorkerReader workers,
                    HttpContext http
                ) => ActAsync(id, "undrain-worker", drains.UndrainAsync, answers, workers, http)
            )
            .Needs(OperatorRole.Operator);
    }

    private static async Task<IResult> ActAsync(
        Guid id,
        string action,
        Func<Guid, AuditEntry, CancellationToken, Task> act,
        WorkerAcknowledgements answers,
        WorkerReader workers,
        HttpContext http
    )
    {
        if (await Form.ReasonAsync(http) is not { } reason)
            return Form.Back($"/workers/{id}", Form.SayWhy);
        try
        {
            await act(id, Actor.Of(http).Did(action, $"worker {id}", reason), http.RequestAborted);
            var confirmed = await Confirmation.OfWorkerAsync(answers, workers, id, http.RequestAborted);
            return Form.Back($"/workers/{id}", confirmed.Summary);
        }
        catch (WorkerStoppedException stopped)
        {
            return Form.Back($"/workers/{id}", $"Nothing was changed. {stopped.Message}");
        }
        catch (UnknownWorkerException unknown)
        {
            return Page.Of<Message>(
                new { Title = "No such worker", Detail = unknown.Message },
                StatusCodes.Status404NotFound
            );
        }
    }
}
