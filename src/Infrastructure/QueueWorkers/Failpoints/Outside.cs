namespace QueueWorkers.Failpoints;

/// <summary>What a call that leaves the process talks to.</summary>
public enum Outside
{
    /// <summary>PostgreSQL.</summary>
    Database,

    /// <summary>RabbitMQ.</summary>
    Broker,

    /// <summary>The mail server.</summary>
    Smtp,

    /// <summary>Somebody's HTTP server.</summary>
    Http,

    /// <summary>The file system.</summary>
    File,
}
