using System.Collections;
using System.Diagnostics;
using System.Globalization;
using MassTransit;
using QueueWorkers.Steps.Runs;
using QueueWorkers.Telemetry;

namespace QueueWorkers.Consuming.Tracing;

/// <summary>
/// What every log line of a run carries beside its own values: step, subject, message, attempt, and the trace id, also
/// where no trace is recorded. Read only when a line is written.
/// </summary>
internal sealed class RunScope(StepRun run, ConsumeContext context) : IReadOnlyList<KeyValuePair<string, object?>>
{
    /// <inheritdoc />
    public int Count => Values().Count;

    /// <inheritdoc />
    public KeyValuePair<string, object?> this[int index] => Values()[index];

    /// <inheritdoc />
    public IEnumerator<KeyValuePair<string, object?>> GetEnumerator() => Values().GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <inheritdoc />
    public override string ToString() =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{run.Step} of {run.SubjectId}, message {run.MessageId}, attempt {run.Attempt}"
        );

    private List<KeyValuePair<string, object?>> Values()
    {
        List<KeyValuePair<string, object?>> values =
        [
            new("Step", run.Step),
            new("SubjectId", run.SubjectId),
            new("MessageId", run.MessageId),
            new("Attempt", run.Attempt),
        ];
        // Otherwise it is in the scope of the current span.
        if (
            Activity.Current is null
            && TraceHeaders.TryParse(LastAttempt.HeaderOf(context, TraceHeaders.Parent), null, out var created)
        )
            values.Add(new("TraceId", created.TraceId.ToString()));
        return values;
    }
}
