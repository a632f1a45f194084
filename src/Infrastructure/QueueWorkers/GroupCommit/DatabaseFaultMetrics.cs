using System.Diagnostics.Metrics;
using QueueWorkers.Telemetry;

namespace QueueWorkers.GroupCommit;

/// <summary>
/// Counts faults of the database where somebody waits for it or is turned away: a process that cannot log in cannot
/// report itself anywhere else.
/// </summary>
public static class DatabaseFaultMetrics
{
    // Static: faults are met in places that nothing is injected into, and one process has one database.
    private static readonly Meter Meter = new(QueueWorkersTelemetry.Name);

    // A server, or a function in it, may raise any code.
    private static readonly LabelValues States = new();

    private static readonly Counter<long> Faults = Meter.CreateCounter<long>(
        "queueworkers.database.faults",
        "{fault}",
        "Database faults that delayed work or refused a request, by kind (unavailable, refused, conflict) and SQLSTATE. Absent until the first one."
    );

    /// <summary>Counts a fault.</summary>
    public static void Count(Exception fault)
    {
        var kind = DatabaseFault.KindOf(fault) switch
        {
            DatabaseFaultKind.Unavailable => "unavailable",
            DatabaseFaultKind.Refused => "refused",
            DatabaseFaultKind.Conflict => "conflict",
            _ => "other",
        };
        Faults.Add(
            1,
            new KeyValuePair<string, object?>("kind", kind),
            new KeyValuePair<string, object?>("sqlstate", States.Of(DatabaseFault.StateOf(fault)))
        );
    }
}
