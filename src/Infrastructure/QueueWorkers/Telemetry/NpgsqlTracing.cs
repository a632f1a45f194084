using System.Diagnostics;
using Npgsql;

namespace QueueWorkers.Telemetry;

/// <summary>Spans of SQL statements.</summary>
public static class NpgsqlTracing
{
    /// <summary>
    /// Only statements within a sampled span have one: a loop that looks at the database would otherwise make a trace
    /// of one span with each look.
    /// </summary>
    public static NpgsqlDataSourceBuilder UseTracingWithinSpans(this NpgsqlDataSourceBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.ConfigureTracing(tracing =>
            tracing
                .ConfigureCommandFilter(static _ => IsWithinSpan)
                .ConfigureBatchFilter(static _ => IsWithinSpan)
                .ConfigureCopyOperationFilter(static _ => IsWithinSpan)
                .EnablePhysicalOpenTracing(false)
                .EnableFirstResponseEvent(false)
        );
    }

    private static bool IsWithinSpan => Activity.Current is { Recorded: true };
}
