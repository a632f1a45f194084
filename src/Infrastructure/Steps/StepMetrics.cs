using System.Diagnostics.Metrics;
using Orders.Infrastructure.Controls;
using Orders.Infrastructure.Telemetry;

namespace Orders.Infrastructure.Steps;

/// <summary>Counts and times the runs of steps.</summary>
public sealed class StepMetrics
{
    private readonly Counter<long> _finished;
    private readonly Counter<long> _duplicates;
    private readonly Counter<long> _failed;
    private readonly Counter<long> _parked;
    private readonly Counter<long> _postponed;
    private readonly Histogram<double> _duration;

    /// <summary>Creates the instruments.</summary>
    public StepMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(OrdersTelemetry.Name);
        _finished = meter.CreateCounter<long>("orders.step.finished", "{run}", "Runs that were committed, by step and outcome (done, rejected, cancelled or expired).");
        _duplicates = meter.CreateCounter<long>("orders.step.duplicates", "{run}", "Runs that were dropped because their work had been committed before.");
        _failed = meter.CreateCounter<long>("orders.step.failed", "{run}", "Attempts that failed, by step and fault.");
        _parked = meter.CreateCounter<long>("orders.step.parked", "{message}", "Messages whose attempts are used up.");
        _postponed = meter.CreateCounter<long>("orders.step.postponed", "{message}", "Messages put back into the outbox without an attempt counted, by step and cause.");
        _duration = meter.CreateHistogram<double>("orders.step.duration", "s", "From the beginning of a run to its commit.");
    }

    internal void Finished(StepRun run, bool applied)
    {
        var step = new KeyValuePair<string, object?>("step", run.Step);
        if (!applied)
        {
            _duplicates.Add(1, step);
            return;
        }

        _finished.Add(1, step, new KeyValuePair<string, object?>("outcome", run.Rejection is null ? "done" : "rejected"));
        if (_duration.Enabled)
            _duration.Record((DateTimeOffset.UtcNow - run.StartedAt).TotalSeconds, step);
    }

    internal void LeftOut(StepRun run, StepStatus? status)
    {
        var step = new KeyValuePair<string, object?>("step", run.Step);
        if (status is { } why)
            _finished.Add(1, step, new KeyValuePair<string, object?>("outcome", why == StepStatus.Expired ? "expired" : "cancelled"));
        else
            _duplicates.Add(1, step);
    }

    internal void Postponed(string step, DeferralCause cause) =>
        _postponed.Add(1, new KeyValuePair<string, object?>("step", step), new KeyValuePair<string, object?>("cause", Deferral.NameOf(cause)));

    internal void Failed(StepRun run, Exception fault, bool parked)
    {
        var step = new KeyValuePair<string, object?>("step", run.Step);
        _failed.Add(1, step, new KeyValuePair<string, object?>("fault", fault.GetType().Name));
        if (parked)
            _parked.Add(1, step);
    }
}
