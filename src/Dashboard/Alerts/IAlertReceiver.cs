using QueueWorkers.Monitoring.Alerts;

namespace Orders.Dashboard.Alerts;

/// <summary>Somebody who is told of alerts.</summary>
internal interface IAlertReceiver
{
    /// <summary>How it is called in messages.</summary>
    string Name { get; }

    /// <summary>
    /// Tells it. The same alert may come twice, after a crash between telling and writing that down: it has an id.
    /// </summary>
    /// <exception cref="Exception">It could not be told; it is tried again.</exception>
    Task TellAsync(Alert alert, CancellationToken cancellationToken);
}
