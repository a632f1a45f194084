using System.Diagnostics;

namespace QueueWorkers.Telemetry;

/// <summary>Names under which the framework reports about itself.</summary>
public static class QueueWorkersTelemetry
{
    /// <summary>The name of the meter and of the activity source.</summary>
    public const string Name = "QueueWorkers";

    /// <summary>Spans that are ours and not MassTransit's, ASP.NET's or Npgsql's.</summary>
    public static ActivitySource Source { get; } = new(Name);
}
