using System.Diagnostics.Metrics;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using QueueWorkers.FlowControl.Gates;
using QueueWorkers.Hosting;
using QueueWorkers.Telemetry;

namespace QueueWorkers.Consuming.Watching;

/// <summary>
/// Knows whether each step of this process consumes, and why not. It is the health check <c>consuming</c>, and it ends
/// a process that has been unable to consume for too long, unless the broker is simply not there: a container engine
/// starts a process again that ended, not one that is unhealthy.
/// Ending loses nothing: what was not acked returns to its queue.
/// </summary>
internal sealed class ConsumingWatch : BackgroundService, IHealthCheck
{
    private static readonly TimeSpan LongestInterval = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan ShortestLook = TimeSpan.FromSeconds(5);

    private readonly StepGates _gates;
    private readonly StepConsumptions _consumptions;
    private readonly QueueProbe _probe;
    private readonly HealthOptions _options;
    private readonly ProcessExit _exit;
    private readonly TimeProvider _time;
    private readonly ILogger<ConsumingWatch> _logger;
    private readonly Watched[] _steps;
    private long? _uselessSince;

    public ConsumingWatch(
        StepGates gates,
        StepConsumptions consumptions,
        QueueProbe probe,
        HealthOptions options,
        ProcessExit exit,
        TimeProvider time,
        IMeterFactory meters,
        ILogger<ConsumingWatch> logger
    )
    {
        (_gates, _consumptions, _probe, _options) = (gates, consumptions, probe, options);
        (_exit, _time, _logger) = (exit, time, logger);
        _steps = [.. gates.All.Select(g => new Watched(g.Step.Name))];
        meters
            .Create(QueueWorkersTelemetry.Name)
            .CreateObservableGauge<int>(
                "queueworkers.step.consuming",
                () =>
                    _steps.Select(s => new Measurement<int>(
                        IsHealthy(s) ? 1 : 0,
                        new KeyValuePair<string, object?>("step", s.Step)
                    )),
                "{step}",
                "1 while the step consumes or has nothing to consume; 0 while it cannot."
            );
    }

    // How long a delivery, or a look at the queue, says that the step consumes.
    private TimeSpan Recently => _options.ConsumingWithin / 4;

    /// <inheritdoc />
    public Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context,
        CancellationToken cancellationToken = default
    )
    {
        var reasons = _steps.Where(s => !IsHealthy(s)).Select(s => s.Reason).Distinct().ToArray();
        return Task.FromResult(
            reasons.Length == 0 ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy(string.Join(" ", reasons))
        );
    }

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var interval = TimeSpan.FromTicks(Math.Min(LongestInterval.Ticks, _options.ConsumingWithin.Ticks / 4));
        while (!stoppingToken.IsCancellationRequested)
        {
            foreach (var step in _steps)
            {
                using var limit = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
                limit.CancelAfter(Recently > ShortestLook ? Recently : ShortestLook);
                try
                {
                    await LookAsync(step, limit.Token);
                }
                catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
                {
                    return;
                }
                catch (OperationCanceledException)
                {
                    Bad(step, NotConsuming.Hanging, $"RabbitMQ does not answer when asked for queue {step.Step}.");
                }
#pragma warning disable CA1031 // Not knowing is a finding too, and the loop has to go on: it is what ends a process that is no use.
                catch (Exception exception)
#pragma warning restore CA1031
                {
                    Bad(
                        step,
                        NotConsuming.Unreachable,
                        $"Whether step {step.Step} consumes cannot be found out: {exception.Message}"
                    );
                }
            }

            EndIfUseless();
            await Task.Delay(interval, _time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task LookAsync(Watched step, CancellationToken cancellationToken)
    {
        var (gate, consumption) = (_gates.Of(step.Step), _consumptions.Of(step.Step));
        // Not yet known to be open, because the database is away: another check's business.
        if (!gate.Known.IsCompleted)
            return;
        // Closed on purpose.
        if (gate.Limit == 0)
        {
            Good(step);
            return;
        }

        if (!consumption.IsSubscribed)
        {
            Take(step, await _probe.ConnectAsync(step.Step, cancellationToken));
            return;
        }

        var recently = Recently;
        if (gate.Running > 0 || consumption.SinceDelivery < recently)
            Good(step);
        else if (step.Cause != NotConsuming.No || _time.GetElapsedTime(step.GoodAt) > recently)
            Take(step, await _probe.CountAsync(step.Step, recently, cancellationToken));
    }

    // What was found good may be a quarter of the time old when consuming ends; and a look that does not come back says
    // nothing good either.
    private bool IsHealthy(Watched step) =>
        step.Cause != NotConsuming.Refused
        && step.GoodAt != 0
        && _time.GetElapsedTime(step.GoodAt)
            <= (step.Cause == NotConsuming.No ? _options.ConsumingWithin : _options.ConsumingWithin - Recently);

    private void Take(Watched step, (NotConsuming Cause, string Reason) finding)
    {
        if (finding.Cause == NotConsuming.No)
            Good(step);
        else
            Bad(step, finding.Cause, finding.Reason);
    }

    private void Good(Watched step)
    {
        if (step.Told)
            StepLog.ConsumesAgain(_logger, step.Step);
        (step.Cause, step.Told, step.GoodAt) = (NotConsuming.No, false, _time.GetTimestamp());
    }

    private void Bad(Watched step, NotConsuming cause, string reason)
    {
        (step.Cause, step.Reason) = (cause, reason);
        if (step.Told || IsHealthy(step))
            return;
        step.Told = true;
        // Before its first subscription a process is not ready, and that is nothing to warn of.
        if (step.GoodAt != 0 || cause == NotConsuming.Refused)
            StepLog.CannotConsume(_logger, step.Step, reason);
    }

    private void EndIfUseless()
    {
        var useless = Array.Find(
            _steps,
            s =>
                s.Cause is NotConsuming.Refused or NotConsuming.Stuck or NotConsuming.Hanging
                && !IsHealthy(s)
                && _gates.Of(s.Step).Known.IsCompleted
        );
        if (useless is null || _options.ExitAfter == TimeSpan.Zero)
        {
            _uselessSince = null;
            return;
        }

        _uselessSince ??= _time.GetTimestamp();
        if (_time.GetElapsedTime(_uselessSince.Value) < _options.ExitAfter || _exit.HasBegun)
            return;
        StepLog.EndsItself(_logger, useless.Step, _options.ExitAfter, useless.Reason, HealthOptions.ExitCode);
        _exit.Begin(HealthOptions.ExitCode);
    }

    private sealed class Watched(string step)
    {
        public string Step => step;

        // 0 until it was good for the first time.
        public long GoodAt { get; set; }

        public NotConsuming Cause { get; set; } = NotConsuming.Stuck;

        public string Reason { get; set; } = $"Step {step} has not begun to consume yet.";

        public bool Told { get; set; }
    }
}
