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
    private static readonly InstrumentAdvice<double> Short = new()
    {
        HistogramBucketBoundaries = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 30],
    };

    private static readonly InstrumentAdvice<double> Long = new()
    {
        HistogramBucketBoundaries = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3600, 21_600, 86_400],
    };

    private readonly Counter<long> _finished;
    private readonly Counter<long> _duplicates;
    private readonly Counter<long> _failed;
    private readonly Counter<long> _deadLettered;
    private readonly Counter<long> _deferred;
    private readonly Histogram<double> _attempt;
    private readonly Histogram<double> _queue;
    private readonly Histogram<double> _done;

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
        // The name, the unit and the first labels are those of OpenTelemetry's semantic conventions for messaging.
        _attempt = meter.CreateHistogram<double>(
            "messaging.process.duration",
            "s",
            advice: Short,
            description: "Run time of one attempt: from its beginning to its commit or its fault, without any waiting."
        );
        _queue = meter.CreateHistogram<double>(
            "queueworkers.step.queue.duration",
            "s",
            advice: Long,
            description: "Time in queue: from when a message was sent to the beginning of its first attempt."
        );
        _done = meter.CreateHistogram<double>(
            "queueworkers.step.done.duration",
            "s",
            advice: Long,
            description: "Time to done: from when a message was sent to the commit of its step, retries included."
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
        Timed(run, fault: null);
        if (_done.Enabled && run.QueuedAt is { } queued)
            _done.Record(SecondsBetween(queued, DatabaseClock.UtcNow), step);
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
        Timed(run, fault);
        if (deadLettered)
            _deadLettered.Add(1, step);
    }

    private void Timed(StepRun run, Exception? fault)
    {
        var step = new KeyValuePair<string, object?>("step", run.Step);
        if (_queue.Enabled && run is { Attempt: 1, QueuedAt: { } queued })
            _queue.Record(SecondsBetween(queued, run.StartedAt), step);
        if (!_attempt.Enabled)
            return;
        var system = new KeyValuePair<string, object?>("messaging.system", "rabbitmq");
        var operation = new KeyValuePair<string, object?>("messaging.operation.name", "process");
        var destination = new KeyValuePair<string, object?>("messaging.destination.name", run.Step);
        var seconds = SecondsBetween(run.StartedAt, DatabaseClock.UtcNow);
        if (fault is null)
        {
            _attempt.Record(seconds, [step, system, operation, destination]);
            return;
        }

        var error = new KeyValuePair<string, object?>("error.type", fault.GetType().FullName);
        _attempt.Record(seconds, [step, system, operation, destination, error]);
    }

    // The database's clock is measured, and may step back a little.
    private static double SecondsBetween(DateTimeOffset from, DateTimeOffset to) =>
        Math.Max(0, (to - from).TotalSeconds);
}
