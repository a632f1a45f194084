using Orders.Dashboard.Api.Problems;
using Orders.Dashboard.Auth;
using Orders.Dashboard.WorkerPages;
using QueueWorkers.FlowControl;
using QueueWorkers.FlowControl.CircuitBreakers;
using QueueWorkers.FlowControl.Workers;
using QueueWorkers.Operators;

namespace Orders.Dashboard.Api;

/// <summary>
/// What an operator can do to running steps: pause and resume, concurrency and rate over all replicas; and to the
/// breakers of what they depend on.
/// </summary>
internal static class ControlsApi
{
    public static void Map(RouteGroupBuilder api)
    {
        var steps = api.MapGroup("/steps");
        steps
            .MapGet(
                "",
                async (StepControls controls, CancellationToken cancellationToken) =>
                    Results.Ok(await controls.ListAsync(cancellationToken))
            )
            .Needs(OperatorRole.Viewer);
        steps
            .MapPost(
                "/{name}/pause",
                (
                    string name,
                    OptionalReason? because,
                    HttpContext context,
                    StepControls controls,
                    WorkerAcknowledgements workers,
                    CancellationToken cancellationToken
                ) =>
                    AnswerAsync(
                        () =>
                            controls.PauseAsync(
                                name,
                                Did(context, "pause-step", $"step {name}", because?.Reason),
                                cancellationToken
                            ),
                        () => Confirmation.OfStepAsync(workers, name, $"{name} is paused", cancellationToken)
                    )
            )
            .Needs(OperatorRole.Operator);
        steps
            .MapPost(
                "/{name}/resume",
                (
                    string name,
                    OptionalReason? because,
                    HttpContext context,
                    StepControls controls,
                    WorkerAcknowledgements workers,
                    CancellationToken cancellationToken
                ) =>
                    AnswerAsync(
                        () =>
                            controls.ResumeAsync(
                                name,
                                Did(context, "resume-step", $"step {name}", because?.Reason),
                                cancellationToken
                            ),
                        () => Confirmation.OfStepAsync(workers, name, $"{name} runs", cancellationToken)
                    )
            )
            .Needs(OperatorRole.Operator);
        steps
            .MapPut(
                "/{name}/concurrency",
                (
                    string name,
                    ConcurrencyChange change,
                    HttpContext context,
                    StepControls controls,
                    WorkerAcknowledgements workers,
                    CancellationToken cancellationToken
                ) =>
                    AnswerAsync(
                        () =>
                            controls.SetConcurrencyAsync(
                                name,
                                change.PerReplica,
                                change.Total,
                                Did(
                                    context,
                                    "limit-step",
                                    $"step {name}: {change.PerReplica} per replica, {change.Total} in total",
                                    change.Reason
                                ),
                                cancellationToken
                            ),
                        () => Confirmation.OfStepAsync(workers, name, $"{name} has its new limits", cancellationToken)
                    )
            )
            .Needs(OperatorRole.Operator);
        steps
            .MapPut(
                "/{name}/rates",
                (
                    string name,
                    RatesChange change,
                    HttpContext context,
                    StepControls controls,
                    WorkerAcknowledgements workers,
                    CancellationToken cancellationToken
                ) =>
                    AnswerAsync(
                        () =>
                            controls.SetRatesAsync(
                                name,
                                change.Rates,
                                Did(
                                    context,
                                    "limit-step",
                                    $"step {name}: {change.Rates ?? "as its policy says"}",
                                    change.Reason
                                ),
                                cancellationToken
                            ),
                        () => Confirmation.OfStepAsync(workers, name, $"{name} has its new rates", cancellationToken)
                    )
            )
            .Needs(OperatorRole.Operator);

        var breakers = api.MapGroup("/breakers");
        breakers
            .MapGet(
                "",
                async (Breakers all, CancellationToken cancellationToken) =>
                    Results.Ok(await all.ListAsync(cancellationToken))
            )
            .Needs(OperatorRole.Viewer);
        breakers
            .MapPut(
                "/{name}",
                (
                    string name,
                    BreakerChange change,
                    HttpContext context,
                    Breakers all,
                    WorkerAcknowledgements workers,
                    CancellationToken cancellationToken
                ) =>
                    AnswerAsync(
                        () =>
                            all.ForceAsync(
                                name,
                                change.Force,
                                Did(
                                    context,
                                    "force-breaker",
                                    $"breaker {name}: {change.Force?.ToString() ?? "released"}",
                                    change.Reason
                                ),
                                cancellationToken
                            ),
                        () =>
                            Confirmation.OfStepAsync(
                                workers,
                                null,
                                $"The breaker of {name} is {Force(change.Force)}",
                                cancellationToken
                            )
                    )
            )
            .Needs(OperatorRole.Operator);
    }

    private static AuditEntry Did(HttpContext context, string action, string target, string? reason) =>
        Actor.Of(context).Did(action, target, reason);

    private static string Force(BreakerState? state) =>
        state switch
        {
            null => "released",
            BreakerState.Open => "held open",
            BreakerState.Closed => "held closed",
            var other => $"held at {other}",
        };

    // First the commit, then how many workers have read it.
    private static async Task<IResult> AnswerAsync(Func<Task> change, Func<Task<Confirmation>> confirm)
    {
        try
        {
            await change();
            return Results.Ok(await confirm());
        }
        catch (Exception unknown) when (unknown is UnknownStepException or UnknownDependencyException)
        {
            return ApiProblem.NotFound(unknown.Message);
        }
        catch (Exception unusable) when (unusable is FormatException or ArgumentOutOfRangeException)
        {
            return ApiProblem.InvalidParameter(unusable.Message);
        }
    }

    private sealed record ConcurrencyChange(int? PerReplica = null, int? Total = null, string? Reason = null);

    private sealed record RatesChange(string? Rates = null, string? Reason = null);

    private sealed record BreakerChange(BreakerState? Force = null, string? Reason = null);
}
