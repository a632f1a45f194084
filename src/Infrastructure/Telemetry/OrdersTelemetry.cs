using System.Diagnostics;

namespace Orders.Infrastructure.Telemetry;

/// <summary>Names under which Orders reports about itself.</summary>
public static class OrdersTelemetry
{
    /// <summary>The name of the meter and of the activity source.</summary>
    public const string Name = "Orders";

    /// <summary>Spans that are ours and not MassTransit's, ASP.NET's or Npgsql's.</summary>
    public static ActivitySource Source { get; } = new(Name);
}
