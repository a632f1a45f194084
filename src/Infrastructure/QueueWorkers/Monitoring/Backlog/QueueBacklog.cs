namespace QueueWorkers.Monitoring.Backlog;

/// <summary>What stands in a queue.</summary>
/// <param name="Queue">The queue.</param>
/// <param name="Ready">Messages that wait.</param>
/// <param name="Unacknowledged">Messages that a consumer holds.</param>
/// <param name="Consumers">Consumers.</param>
/// <param name="Age">How long the oldest message that waits has been there, at least; zero when none waits.</param>
public readonly record struct QueueBacklog(string Queue, long Ready, long Unacknowledged, int Consumers, TimeSpan Age);
