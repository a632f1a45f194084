using System.Diagnostics.Metrics;
using QueueWorkers.Clocks;
using QueueWorkers.FlowControl;
using QueueWorkers.Steps;
using QueueWorkers.Steps.Runs;
using QueueWorkers.Telemetry;

namespace QueueWorkers.Consuming;

/// <summary>Counts and times the runs of steps.</summary>
public sealed class StepMetrics
{
    private readonly Counter<long> _finished;
    private readonly Counter<long> _duplicates;
    private readonly Counter<long> _failed;
    private readonly Counter<long> _deadLettered;
    private readonly Counter<long> _deferred;
    private readonly Histogram<double> _duration;

    /// <summary>Creates the instruments.</summary>
    public StepMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(QueueWorkersTelemetry.Name);
        _finished = meter.CreateCounter<long>(
            "queueworkers.step.finished",
            "{run}",
            "Runs that were committed, by step and outcome (done, rejected, cancelled or expired)."
        );
        _duplicates = meter.CreateCounter<long>(
            "queueworkers.step.duplicates",
            "{run}",
            "Runs that were dropped because their work had been committed before."
        );
        _failed = meter.CreateCounter<long>(
            "queueworkers.step.failed",
            "{run}",
            "Attempts that failed, by step and fault."
        );
        _deadLettered = meter.CreateCounter<long>(
            "queueworkers.step.dead_lettered",
            "{message}",
            "Messages dead-lettered after their last attempt."
        );
        _deferred = meter.CreateCounter<long>(
            "queueworkers.step.deferred",
            "{message}",
            "Messages deferred without consuming an attempt, by step and cause."
        );
        _duration = meter.CreateHistogram<double>(
            "queueworkers.step.duration",
            "s",
            "Time from the beginning of a run to its commit."
        );
    }

    internal void Finished(StepRun run, bool applied)
    {
        var step = new KeyValuePair<string, object?>("step", run.Step);
        if (!applied)
        {
            _duplicates.Add(1, step);
            return;
        }

        _finished.Add(
            1,
            step,
            new KeyValuePair<string, object?>("outcome", run.Rejection is null ? "done" : "rejected")
        );
        if (_duration.Enabled)
            _duration.Record((DatabaseClock.UtcNow - run.StartedAt).TotalSeconds, step);
    }

    internal void LeftOut(StepRun run, StepStatus? status)
    {
        var step = new KeyValuePair<string, object?>("step", run.Step);
        if (status is { } why)
            _finished.Add(
                1,
                step,
                new KeyValuePair<string, object?>("outcome", why == StepStatus.Expired ? "expired" : "cancelled")
            );
        else
            _duplicates.Add(1, step);
    }

    internal void Deferred(string step, DeferralCause cause) =>
        _deferred.Add(
            1,
            new KeyValuePair<string, object?>("step", step),
            new KeyValuePair<string, object?>("cause", Deferral.NameOf(cause))
        );

    internal void Failed(StepRun run, Exception fault, bool deadLettered)
    {
        var step = new KeyValuePair<string, object?>("step", run.Step);
        _failed.Add(1, step, new KeyValuePair<string, object?>("fault", fault.GetType().Name));
        if (deadLettered)
            _deadLettered.Add(1, step);
    }
}
