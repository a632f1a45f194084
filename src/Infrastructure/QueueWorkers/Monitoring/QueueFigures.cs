namespace QueueWorkers.Monitoring;

/// <summary>What the broker says about one queue.</summary>
/// <param name="Name">The queue.</param>
/// <param name="Ready">Messages that wait.</param>
/// <param name="Unacknowledged">Messages a consumer holds.</param>
/// <param name="Consumers">Consumers, one per replica.</param>
/// <param name="Published">Messages ever put in, as far back as the broker counts; it forgets at a restart.</param>
/// <param name="InPerSecond">Messages in, over the broker's last sampling interval (5 s by default).</param>
/// <param name="OutPerSecond">Messages done, likewise.</param>
public sealed record QueueFigures(
    string Name,
    long Ready,
    long Unacknowledged,
    int Consumers,
    long Published,
    double InPerSecond,
    double OutPerSecond
);
