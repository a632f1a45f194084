using System.Diagnostics;
using Orders.Bench.Load.Systems;

namespace Orders.Bench.Load.Driving;

/// <summary>
/// One order at a time into an idle system: how long until it is answered, and until its last effect can be seen. Seen
/// means: found by asking the database each millisecond for this one order's effects, by key; nothing is added to the
/// system itself.
/// </summary>
public sealed class IdleProbe(OrderClient client, Effects effects)
{
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public Latencies Answered { get; } = new();

    public Latencies Finished { get; } = new();

    public async Task RunAsync(byte[][] orders, CancellationToken cancel)
    {
        foreach (var order in orders)
        {
            var start = Stopwatch.GetTimestamp();
            var id = await client.PostAsync(order, cancel);
            Answered.RecordSince(start);
            while (await effects.CountAsync(id, cancel) < Effects.PerOrder)
            {
                if (Stopwatch.GetElapsedTime(start) > Patience)
                    throw new TimeoutException(
                        $"expected {Effects.PerOrder} effects of order {id} within {Patience.TotalSeconds:0} s, found {await effects.CountAsync(id, cancel)}"
                    );
                await Task.Delay(1, cancel);
            }

            Finished.RecordSince(start);
            var rest = Pace - Stopwatch.GetElapsedTime(start);
            if (rest > TimeSpan.Zero)
                await Task.Delay(rest, cancel);
        }
    }
}
