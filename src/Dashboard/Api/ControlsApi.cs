using Orders.Dashboard.Auth;
using QueueWorkers.FlowControl;
using QueueWorkers.FlowControl.CircuitBreakers;
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
                    Because? because,
                    HttpContext context,
                    StepControls controls,
                    CancellationToken cancellationToken
                ) =>
                    AnswerAsync(() =>
                        controls.PauseAsync(
                            name,
                            Did(context, "pause-step", $"step {name}", because?.Reason),
                            cancellationToken
                        )
                    )
            )
            .Needs(OperatorRole.Operator);
        steps
            .MapPost(
                "/{name}/resume",
                (
                    string name,
                    Because? because,
                    HttpContext context,
                    StepControls controls,
                    CancellationToken cancellationToken
                ) =>
                    AnswerAsync(() =>
                        controls.ResumeAsync(
                            name,
                            Did(context, "resume-step", $"step {name}", because?.Reason),
                            cancellationToken
                        )
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
                    CancellationToken cancellationToken
                ) =>
                    AnswerAsync(() =>
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
                        )
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
                    CancellationToken cancellationToken
                ) =>
                    AnswerAsync(() =>
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
                        )
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
                    CancellationToken cancellationToken
                ) =>
                    AnswerAsync(() =>
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
                        )
                    )
            )
            .Needs(OperatorRole.Operator);
    }

    private static AuditEntry Did(HttpContext context, string action, string target, string? reason) =>
        Actor.Of(context).Did(action, target, reason);

    private static async Task<IResult> AnswerAsync(Func<Task> change)
    {
        try
        {
            await change();
            return Results.NoContent();
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
