using System.Globalization;
using Orders.Dashboard.Auth;
using Orders.Dashboard.Viewing;
using Orders.Infrastructure.Failures;
using QueueWorkers.FlowControl;
using QueueWorkers.FlowControl.CircuitBreakers;
using QueueWorkers.FlowControl.Workers;
using QueueWorkers.Monitoring;
using QueueWorkers.Operators;

namespace Orders.Dashboard.WorkerPages;

/// <summary>
/// The page of the workers: what the steps are allowed, and the breakers of what they depend on.
/// <see cref="ProcessRoutes"/> has the processes.
/// </summary>
internal static class WorkerRoutes
{
    public static void Map(RouteGroupBuilder pages)
    {
        pages
            .MapGet(
                "/workers",
                async (
                    string? fold,
                    WorkerReader workers,
                    OrderFailures orders,
                    StepControls controls,
                    Breakers breakers,
                    Loader loader,
                    HttpContext http
                ) =>
                {
                    var processes = loader.LoadAsync(
                        "the workers",
                        token => WorkersNow.ReadAsync(workers, orders, token),
                        http.RequestAborted
                    );
                    var steps = loader.LoadAsync("the steps", controls.ListAsync, http.RequestAborted);
                    var states = loader.LoadAsync("the breakers", breakers.ListAsync, http.RequestAborted);
                    return Page.Of<WorkersPage>(
                        new
                        {
                            Fold = fold,
                            Processes = await processes,
                            Steps = await steps,
                            Breakers = await states,
                        }
                    );
                }
            )
            .Needs(OperatorRole.Viewer);
        pages
            .MapPost(
                "/steps/{step}/pause",
                (string step, StepControls controls, WorkerAcknowledgements workers, HttpContext http) =>
                    ActAsync(
                        http,
                        "pause-step",
                        $"step {step}",
                        (record, token) => controls.PauseAsync(step, record, token),
                        token => Confirmation.OfStepAsync(workers, step, $"{step} is paused", token)
                    )
            )
            .Needs(OperatorRole.Operator);
        pages
            .MapPost(
                "/steps/{step}/resume",
                (string step, StepControls controls, WorkerAcknowledgements workers, HttpContext http) =>
                    ActAsync(
                        http,
                        "resume-step",
                        $"step {step}",
                        (record, token) => controls.ResumeAsync(step, record, token),
                        token => Confirmation.OfStepAsync(workers, step, $"{step} runs", token)
                    )
            )
            .Needs(OperatorRole.Operator);
        pages
            .MapPost(
                "/steps/{step}/concurrency",
                (string step, StepControls controls, WorkerAcknowledgements workers, HttpContext http) =>
                    ActAsync(
                        http,
                        "limit-step",
                        $"step {step}",
                        async (record, token) =>
                        {
                            var form = await http.Request.ReadFormAsync(token);
                            await controls.SetConcurrencyAsync(
                                step,
                                Number(form["replica"]),
                                Number(form["total"]),
                                record,
                                token
                            );
                        },
                        token => Confirmation.OfStepAsync(workers, step, $"{step} has its new limits", token)
                    )
            )
            .Needs(OperatorRole.Operator);
        pages
            .MapPost(
                "/steps/{step}/rates",
                (string step, StepControls controls, WorkerAcknowledgements workers, HttpContext http) =>
                    ActAsync(
                        http,
                        "limit-step",
                        $"step {step}",
                        async (record, token) =>
                            await controls.SetRatesAsync(
                                step,
                                (await http.Request.ReadFormAsync(token))["rates"].ToString().Trim() switch
                                {
                                    "" => null,
                                    "none" => "",
                                    var rates => rates,
                                },
                                record,
                                token
                            ),
                        token => Confirmation.OfStepAsync(workers, step, $"{step} has its new rates", token)
                    )
            )
            .Needs(OperatorRole.Operator);
        pages
            .MapPost(
                "/breakers/{dependency}",
                (string dependency, Breakers breakers, WorkerAcknowledgements workers, HttpContext http) =>
                    ActAsync(
                        http,
                        "force-breaker",
                        $"breaker {dependency}",
                        async (record, token) =>
                            await breakers.ForceAsync(
                                dependency,
                                (await http.Request.ReadFormAsync(token))["state"].ToString() switch
                                {
                                    "open" => BreakerState.Open,
                                    "closed" => BreakerState.Closed,
                                    "release" => null,
                                    var other => throw new FormatException(
                                        $"Expected open, closed or release, found '{other}'."
                                    ),
                                },
                                record,
                                token
                            ),
                        token => Confirmation.OfStepAsync(workers, null, $"The breaker of {dependency} is set", token)
                    )
            )
            .Needs(OperatorRole.Operator);
    }

    // The change and its audit record are one commit, in the classes that the operator API uses too.
    private static async Task<IResult> ActAsync(
        HttpContext http,
        string action,
        string target,
        Func<AuditEntry, CancellationToken, Task> act,
        Func<CancellationToken, Task<Confirmation>> confirm
    )
    {
        if (await Form.ReasonAsync(http) is not { } reason)
            return Form.Back("/workers", Form.SayWhy);
        try
        {
            await act(Actor.Of(http).Did(action, target, reason), http.RequestAborted);
            return Form.Back("/workers", (await confirm(http.RequestAborted)).Summary);
        }
        catch (Exception refused)
            when (refused
                    is FormatException
                        or ArgumentOutOfRangeException
                        or UnknownStepException
                        or UnknownDependencyException
            )
        {
            return Form.Back("/workers", $"Nothing was changed: {refused.Message}");
        }
    }

    /// <exception cref="FormatException">The text is neither empty nor a number from 1.</exception>
    private static int? Number(string? text) =>
        string.IsNullOrWhiteSpace(text) ? null
        : int.TryParse(text, CultureInfo.InvariantCulture, out var number) && number > 0 ? number
        : throw new FormatException($"Expected a whole number from 1, or nothing for no limit, found '{text}'.");
}
