using System.Diagnostics;
using HdrHistogram;

namespace Orders.Bench.Load.Driving;

/// <summary>
/// Latencies in an HDR histogram: microseconds, three digits, up to ten minutes; safe to record from many clients.
/// </summary>
public sealed class Latencies
{
    private readonly LongConcurrentHistogram histogram = new(1, 600_000_000, 3);

    public double P50 => Milliseconds(50);

    public double P95 => Milliseconds(95);

    public double P99 => Milliseconds(99);

    public double Max => histogram.GetMaxValue() / 1000.0;

    /// <param name="since">A <see cref="Stopwatch"/> timestamp: when the request began, or should have begun.</param>
    public void RecordSince(long since) =>
        histogram.RecordValue(Math.Max(1, (long)Stopwatch.GetElapsedTime(since).TotalMicroseconds));

    private double Milliseconds(double percentile) => histogram.GetValueAtPercentile(percentile) / 1000.0;
}
