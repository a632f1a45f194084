using System.Diagnostics;

namespace Orders.Bench.Load.Driving;

/// <summary>
/// A fixed number of clients, each posting its next order as soon as the last one is answered: shows what the system
/// can take.
/// </summary>
public static class ClosedLoop
{
    public static async Task<Latencies> RunAsync(
        OrderClient client,
        byte[][] orders,
        int clients,
        CancellationToken cancel
    )
    {
        var latencies = new Latencies();
        var next = -1;
        await Task.WhenAll(Enumerable.Range(0, clients).Select(_ => Task.Run(PostUntilDoneAsync, cancel)));
        return latencies;

        async Task PostUntilDoneAsync()
        {
            for (var i = Interlocked.Increment(ref next); i < orders.Length; i = Interlocked.Increment(ref next))
            {
                var start = Stopwatch.GetTimestamp();
                await client.PostAsync(orders[i], cancel);
                latencies.RecordSince(start);
            }
        }
    }
}
