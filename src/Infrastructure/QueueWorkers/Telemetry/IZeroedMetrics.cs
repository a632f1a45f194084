namespace QueueWorkers.Telemetry;

/// <summary>
/// Counters that exist with the value 0 from the start of the process. Of a series that appears with its first event no
/// query sees a rise, and an alert rule without a series says nothing at all.
/// </summary>
public interface IZeroedMetrics
{
    /// <summary>Adds 0 to each series that the process may count later.</summary>
    void Zero();
}
