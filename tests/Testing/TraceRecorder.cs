using System.Collections.Concurrent;
using System.Diagnostics;

namespace Orders.Testing;

/// <summary>Listens to all spans of the process while it lives, as an exporter would.</summary>
public sealed class TraceRecorder : IDisposable
{
    private readonly ConcurrentQueue<Activity> _ended = new();
    private readonly ActivityListener _listener;

    /// <summary>Begins to listen.</summary>
    public TraceRecorder()
    {
        _listener = new ActivityListener
        {
            ShouldListenTo = static _ => true,
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) =>
                ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = _ended.Enqueue,
        };
        ActivitySource.AddActivityListener(_listener);
    }

    /// <summary>A source of the test's own, for the span that everything else is to continue.</summary>
    public static ActivitySource Source { get; } = new("Orders.Testing");

    /// <summary>Spans of a trace that have ended.</summary>
    public IReadOnlyList<Activity> Of(ActivityTraceId trace) => [.. _ended.Where(a => a.TraceId == trace)];

    /// <summary>All spans that have ended.</summary>
    public IReadOnlyList<Activity> All => [.. _ended];

    /// <inheritdoc />
    public void Dispose() => _listener.Dispose();
}
