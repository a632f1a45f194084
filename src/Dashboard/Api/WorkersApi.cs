using Orders.Dashboard.Api.Problems;
using Orders.Dashboard.Auth;
using Orders.Dashboard.WorkerPages;
using QueueWorkers.FlowControl.Workers;
using QueueWorkers.Monitoring;
using QueueWorkers.Operators;

namespace Orders.Dashboard.Api;

/// <summary>Worker processes: which there are, what each is running; one is drained and given back.</summary>
internal static class WorkersApi
{
    public static void Map(RouteGroupBuilder api)
    {
        var workers = api.MapGroup("/workers");
        workers
            .MapGet(
                "",
                async (WorkerReader reader, CancellationToken cancellationToken) =>
                    Results.Ok(await reader.ReadAsync(cancellationToken))
            )
            .Needs(OperatorRole.Viewer);
        workers
            .MapGet(
                "/{id:guid}",
                async (Guid id, WorkerReader reader, CancellationToken cancellationToken) =>
                    await reader.FindAsync(id, cancellationToken) is { } worker
                        ? Results.Ok(worker)
                        : ApiProblem.NotFound(new UnknownWorkerException(id).Message)
            )
            .Needs(OperatorRole.Viewer);
        workers
            .MapPost(
                "/{id:guid}/drain",
                (
                    Guid id,
                    OptionalReason? because,
                    HttpContext context,
                    WorkerDrains drains,
                    WorkerAcknowledgements acknowledgements,
                    WorkerReader reader,
                    CancellationToken cancellationToken
                ) =>
                    AnswerAsync(
                        drains.DrainAsync,
                        id,
                        Actor.Of(context).Did("drain-worker", $"worker {id}", because?.Reason),
                        () => Confirmation.OfWorkerAsync(acknowledgements, reader, id, cancellationToken),
                        cancellationToken
                    )
            )
            .Needs(OperatorRole.Operator);
        workers
            .MapPost(
                "/{id:guid}/undrain",
                (
                    Guid id,
                    OptionalReason? because,
                    HttpContext context,
                    WorkerDrains drains,
                    WorkerAcknowledgements acknowledgements,
                    WorkerReader reader,
                    CancellationToken cancellationToken
                ) =>
                    AnswerAsync(
                        drains.UndrainAsync,
                        id,
                        Actor.Of(context).Did("undrain-worker", $"worker {id}", because?.Reason),
                        () => Confirmation.OfWorkerAsync(acknowledgements, reader, id, cancellationToken),
                        cancellationToken
                    )
            )
            .Needs(OperatorRole.Operator);
    }

    private static async Task<IResult> AnswerAsync(
        Func<Guid, AuditEntry, CancellationToken, Task> change,
        Guid worker,
        AuditEntry record,
        Func<Task<Confirmation>> confirm,
        CancellationToken cancellationToken
    )
    {
        if (string.IsNullOrWhiteSpace(record.Reason))
            return ApiProblem.InvalidParameter("reason must say why");
        try
        {
            await change(worker, record, cancellationToken);
            return Results.Ok(await confirm());
        }
        catch (UnknownWorkerException unknown)
        {
            return ApiProblem.NotFound(unknown.Message);
        }
        catch (WorkerStoppedException stopped)
        {
            return ApiProblem.Conflict("worker-stopped", stopped.Message);
        }
    }
}
