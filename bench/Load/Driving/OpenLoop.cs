using System.Diagnostics;

namespace Orders.Bench.Load.Driving;

/// <summary>
/// A fixed rate, whether the system keeps up or not. Latency counts from the moment an order was due, not from the
/// moment a free client got round to it: a system that stalls for a second is charged that second for every order that
/// had to wait (coordinated omission).
/// </summary>
public static class OpenLoop
{
    public static async Task<Latencies> RunAsync(
        Func<byte[], CancellationToken, Task> post,
        byte[][] orders,
        double perSecond,
        int clients,
        CancellationToken cancel
    )
    {
        var latencies = new Latencies();
        var start = Stopwatch.GetTimestamp();
        var next = -1;
        await Task.WhenAll(Enumerable.Range(0, clients).Select(_ => Task.Run(PostWhenDueAsync, cancel)));
        return latencies;

        async Task PostWhenDueAsync()
        {
            for (var i = Interlocked.Increment(ref next); i < orders.Length; i = Interlocked.Increment(ref next))
            {
                var due = start + (long)(i / perSecond * Stopwatch.Frequency);
                var wait = Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), due);
                if (wait > TimeSpan.Zero)
                    await Task.Delay(wait, cancel);
                await post(orders[i], cancel);
                latencies.RecordSince(due);
            }
        }
    }
}
