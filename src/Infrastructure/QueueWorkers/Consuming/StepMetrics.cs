using System.Diagnostics.Metrics;
using QueueWorkers.Clocks;
using QueueWorkers.FlowControl;
using QueueWorkers.FlowControl.Gates;
using QueueWorkers.Idempotency;
using QueueWorkers.Steps;
using QueueWorkers.Steps.Runs;
using QueueWorkers.Telemetry;

namespace QueueWorkers.Consuming;

/// <summary>Counts and times the runs of steps.</summary>
public sealed class StepMetrics : IZeroedMetrics
{
    private const string Done = "done";
    private const string Rejected = "rejected";
    private const string Cancelled = "cancelled";
    private const string Expired = "expired";
    private const string InMemory = "retry";
    private const string ThroughOutbox = "redelivery";

    private static readonly string[] Outcomes = [Done, Rejected, Cancelled, Expired];
    private static readonly string[] Ways = [InMemory, ThroughOutbox];

    // Those that a message can show.
    private static readonly DuplicateCause[] DuplicateReasons =
    [
        DuplicateCause.Redelivery,
        DuplicateCause.DoublePublish,
        DuplicateCause.Redrive,
        DuplicateCause.DelayedCopy,
    ];

    private static readonly InstrumentAdvice<double> Short = new()
    {
        HistogramBucketBoundaries = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 30],
    };

    private static readonly InstrumentAdvice<double> Long = new()
    {
        HistogramBucketBoundaries = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3600, 21_600, 86_400],
    };

    private readonly string[] _steps;
    private readonly LabelValues _faults = new();
    private readonly LabelValues _errorTypes = new();
    private readonly Counter<long> _finished;
    private readonly Counter<long> _duplicates;
    private readonly Counter<long> _failed;
    private readonly Counter<long> _retried;
    private readonly Counter<long> _deadLettered;
    private readonly Counter<long> _deferred;
    private readonly Histogram<double> _attempt;
    private readonly Histogram<double> _queue;
    private readonly Histogram<double> _done;

    /// <summary>Creates the instruments.</summary>
    public StepMetrics(IMeterFactory meters, StepGates gates)
    {
        _steps = [.. gates.All.Select(g => g.Step.Name)];
        var meter = meters.Create(QueueWorkersTelemetry.Name);
        _finished = meter.CreateCounter<long>(
            "queueworkers.step.finished",
            "{run}",
            "Runs that were committed, by step and outcome (done, rejected, cancelled or expired)."
        );
        _duplicates = meter.CreateCounter<long>(
            "queueworkers.step.duplicates",
            "{run}",
            "Runs that were dropped because their work had been committed before, by step and cause."
        );
        _failed = meter.CreateCounter<long>(
            "queueworkers.step.failed",
            "{run}",
            "Attempts that failed, by step and fault. Absent until an attempt has failed."
        );
        _retried = meter.CreateCounter<long>(
            "queueworkers.step.retried",
            "{run}",
            "Failed attempts that another one follows, by step and way (retry in memory, or redelivery through the outbox)."
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
            description: "Run time of one attempt: from its beginning to its commit or its fault, without any waiting. Absent until an attempt has ended."
        );
        _queue = meter.CreateHistogram<double>(
            "queueworkers.step.queue.duration",
            "s",
            advice: Long,
            description: "Time in queue: from when a message was sent to the beginning of its first attempt. Absent until a first attempt has ended."
        );
        _done = meter.CreateHistogram<double>(
            "queueworkers.step.done.duration",
            "s",
            advice: Long,
            description: "Time to done: from when a message was sent to the commit of its step, retries included. Absent until a step was committed."
        );
    }

    /// <inheritdoc />
    public void Zero()
    {
        foreach (var name in _steps)
        {
            var step = new KeyValuePair<string, object?>("step", name);
            _deadLettered.Add(0, step);
            foreach (var outcome in Outcomes)
                _finished.Add(0, step, new KeyValuePair<string, object?>("outcome", outcome));
            foreach (var way in Ways)
                _retried.Add(0, step, new KeyValuePair<string, object?>("way", way));
            foreach (var cause in DuplicateReasons)
                _duplicates.Add(0, step, new KeyValuePair<string, object?>("cause", DuplicateCauses.NameOf(cause)));
            // A redelivery counts an attempt: it is retried, not deferred.
            foreach (var cause in Enum.GetValues<DeferralCause>().Where(c => c != DeferralCause.Redelivery))
                _deferred.Add(0, step, new KeyValuePair<string, object?>("cause", Deferral.NameOf(cause)));
        }
    }

    internal void Finished(StepRun run)
    {
        Count(run, run.Rejection is null ? Done : Rejected);
        Timed(run, fault: null);
        if (_done.Enabled && run.QueuedAt is { } queued)
            _done.Record(
                SecondsBetween(queued, DatabaseClock.UtcNow),
                new KeyValuePair<string, object?>("step", run.Step),
                new KeyValuePair<string, object?>("class", PriorityClass.Of(run.Priority))
            );
    }

    internal void LeftOut(StepRun run, StepStatus status) =>
        Count(run, status == StepStatus.Expired ? Expired : Cancelled);

    internal void Duplicate(StepRun run, DuplicateCause cause) =>
        _duplicates.Add(
            1,
            new KeyValuePair<string, object?>("step", run.Step),
            new KeyValuePair<string, object?>("cause", DuplicateCauses.NameOf(cause))
        );

    internal void Deferred(string step, DeferralCause cause) =>
        _deferred.Add(
            1,
            new KeyValuePair<string, object?>("step", step),
            new KeyValuePair<string, object?>("cause", Deferral.NameOf(cause))
        );

    /// <summary>An attempt has failed.</summary>
    /// <param name="run">The attempt.</param>
    /// <param name="fault">Why.</param>
    /// <param name="next">Whether another attempt follows.</param>
    /// <param name="inMemory">Whether that one is made at once, in memory.</param>
    internal void Failed(StepRun run, Exception fault, bool next, bool inMemory)
    {
        var step = new KeyValuePair<string, object?>("step", run.Step);
        _failed.Add(1, step, new KeyValuePair<string, object?>("fault", _faults.Of(fault.GetType().Name)));
        Timed(run, fault);
        if (next)
            _retried.Add(1, step, new KeyValuePair<string, object?>("way", inMemory ? InMemory : ThroughOutbox));
        else
            _deadLettered.Add(1, step);
    }

    private void Count(StepRun run, string outcome) =>
        _finished.Add(
            1,
            new KeyValuePair<string, object?>("step", run.Step),
            new KeyValuePair<string, object?>("outcome", outcome)
        );

    private void Timed(StepRun run, Exception? fault)
    {
        var step = new KeyValuePair<string, object?>("step", run.Step);
        var priority = new KeyValuePair<string, object?>("class", PriorityClass.Of(run.Priority));
        if (_queue.Enabled && run is { Attempt: 1, QueuedAt: { } queued })
            _queue.Record(SecondsBetween(queued, run.StartedAt), step, priority);
        if (!_attempt.Enabled)
            return;
        var system = new KeyValuePair<string, object?>("messaging.system", "rabbitmq");
        var operation = new KeyValuePair<string, object?>("messaging.operation.name", "process");
        var destination = new KeyValuePair<string, object?>("messaging.destination.name", run.Step);
        var seconds = SecondsBetween(run.StartedAt, DatabaseClock.UtcNow);
        if (fault is null)
        {
            _attempt.Record(seconds, [step, priority, system, operation, destination]);
            return;
        }

        var error = new KeyValuePair<string, object?>("error.type", _errorTypes.Of(fault.GetType().FullName));
        _attempt.Record(seconds, [step, priority, system, operation, destination, error]);
    }

    // The database's clock is measured, and may step back a little.
    private static double SecondsBetween(DateTimeOffset from, DateTimeOffset to) =>
        Math.Max(0, (to - from).TotalSeconds);
}
