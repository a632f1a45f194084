using System.Diagnostics;
using Orders.Bench.Load.Driving;

namespace Orders.Bench.Load.Tests.Driving;

public sealed class OpenLoopTests
{
    [Test]
    public async Task A_stall_is_charged_to_every_order_that_was_due_meanwhile()
    {
        var stall = TimeSpan.FromMilliseconds(200);
        var calls = 0;
        Task Post(byte[] order, CancellationToken cancel)
        {
            if (calls++ == 0)
            {
                var since = Stopwatch.GetTimestamp();
                SpinWait.SpinUntil(() => Stopwatch.GetElapsedTime(since) >= stall);
            }

            return Task.CompletedTask;
        }

        // Twenty orders, one each 10 ms: all of them are due before the only client is free again.
        var latencies = await OpenLoop.RunAsync(
            Post,
            new byte[20][],
            perSecond: 100,
            clients: 1,
            CancellationToken.None
        );

        using (Assert.EnterMultipleScope())
        {
            Assert.That(calls, Is.EqualTo(20));
            Assert.That(latencies.Max, Is.GreaterThanOrEqualTo(199), "the stalled order itself");
            Assert.That(
                latencies.P50,
                Is.GreaterThanOrEqualTo(90),
                "the order due at 100 ms waited for the rest of the stall"
            );
        }
    }

    [Test]
    public async Task Orders_keep_the_rate_when_the_system_is_quick()
    {
        var start = Stopwatch.GetTimestamp();
        await OpenLoop.RunAsync(
            (_, _) => Task.CompletedTask,
            new byte[21][],
            perSecond: 100,
            clients: 4,
            CancellationToken.None
        );
        Assert.That(Stopwatch.GetElapsedTime(start), Is.GreaterThanOrEqualTo(TimeSpan.FromMilliseconds(195)));
    }
}
