using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Orders.Testing;
using Orders.Testing.Servers;
using Orders.Testing.Zoo;
using QueueWorkers.Outbox;

namespace Orders.Infrastructure.Tests.Outbox;

/// <summary>
/// One queue of a fan-out takes nothing (issue 15, 5): the others are not flooded with copies, and the rows of other
/// exchanges leave as always.
/// </summary>
public sealed class SlowDestinationTests : SystemFixture
{
    private const int Rows = 40;
    private const int Few = 8;

    // The wait between two trials doubles: each trial more takes as long as all before it.
    private const int Trials = 2;

    [Test]
    public async Task The_other_queues_of_a_fan_out_get_one_copy_for_each_trial_while_one_queue_refuses()
    {
        var open = await TestSystem.Broker.ListenAsync<Born>();
        var full = await TestSystem.Broker.ListenAsync<Born>();
        await LimitAsync(full, 1);
        await Eventually.Is(async () => await IsRefusedAsync(full), "the queue refuses");
        await TestSystem.Broker.TakeAllAsync(open);

        await using var host = await TestSystem.StartAsync("");
        var sent = await InsertAsync<Born>(host, Rows, id => new Born(id));
        await Eventually.That(
            () => TestSystem.Broker.CountAsync(open),
            Is.GreaterThanOrEqualTo((uint)Rows),
            "first copies"
        );
        // A row that is made due before it is put off is sent twice at once, and that is no trial.
        await Eventually.That(
            () => TestSystem.Database.CountAsync("outbox where last_error is not null"),
            Is.EqualTo(Rows),
            "rows that were refused and put off"
        );

        // Every row is made due again and again; what is published is a trial, one row at a time.
        var exchange = MessageName.ExchangeOf(typeof(Born));
        await TestSystem.EventuallyFastForwardingAsync(
            () => Task.FromResult(TrialsOf(host, exchange)),
            Is.GreaterThanOrEqualTo(Trials),
            "trials",
            TimeSpan.FromSeconds(60)
        );
        // Each of dozens of looks has made all rows due.
        Assert.That(TrialsOf(host, exchange), Is.LessThan(Rows / 2), "rows that were sent again");

        await LimitAsync(full, 10 * Rows);
        await Eventually.That(
            () =>
                host.Log.Lines.Count(l =>
                    l.Line.Contains($"Exchange answers again: {exchange}", StringComparison.Ordinal)
                ),
            Is.Positive,
            "the destination is back",
            TimeSpan.FromSeconds(60)
        );
        await TestSystem.EventuallyFastForwardingAsync(
            () => TestSystem.Database.CountAsync("outbox"),
            Is.Zero,
            "rows in the outbox"
        );
        Assert.That(
            (await TestSystem.Broker.TakeAllAsync(full))
                .Select(m => m.BasicProperties.MessageId)
                // What filled it has no id.
                .OfType<string>()
                .Select(Guid.Parse),
            Is.SupersetOf(sent),
            "what the slow queue has in the end"
        );
    }

    [Test]
    public async Task Two_relays_make_one_trial_at_a_time_between_them_and_rewrite_no_row_that_waits()
    {
        var open = await TestSystem.Broker.ListenAsync<Fed>();
        var full = await TestSystem.Broker.ListenAsync<Fed>();
        await LimitAsync(full, 1);
        await Eventually.Is(async () => await IsRefusedAsync(full), "the queue refuses");
        await TestSystem.Broker.TakeAllAsync(open);
        await KeepOutboxHistory();
        await TestSystem.Database.KeepHistoryAsync(
            "slow_destinations",
            "new.exchange, new.trial_at, clock_timestamp() as at"
        );

        await using var one = await TestSystem.StartAsync("");
        await using var two = await TestSystem.StartAsync("");
        var exchange = MessageName.ExchangeOf(typeof(Fed));
        var watch = Stopwatch.StartNew();
        await InsertAsync<Fed>(one, Rows / 2, id => new Fed(id));
        await InsertAsync<Fed>(two, Rows / 2, id => new Fed(id));
        await Eventually.That(
            () => TestSystem.Database.CountAsync("outbox where exchange = $1 and last_error is not null", exchange),
            Is.EqualTo(Rows),
            "rows that wait"
        );
        foreach (var host in (RunningHost[])[one, two])
            await Eventually.That(
                () =>
                    host.Log.Lines.Count(l =>
                        l.Line.Contains($"tried one at a time: {exchange} ", StringComparison.Ordinal)
                    ),
                Is.Positive,
                "a relay that knows the slow queue"
            );

        var before = await CountsAsync();
        await Eventually.That(
            async () => (await TrialsAsync()).Count,
            Is.GreaterThanOrEqualTo(before.Trials + Trials),
            "trials of the two",
            TimeSpan.FromMinutes(1)
        );
        // The rows that were tried themselves, each taken and put back. All that wait fall due each 20 s and are put back
        // again: on a machine that takes so long since they were written.
        var after = await CountsAsync();
        Assert.That(
            after.Written - before.Written,
            Is.LessThanOrEqualTo(
                (2 * (after.Trials - before.Trials + 1)) + (2 * Rows * (int)(watch.Elapsed.TotalSeconds / 20))
            ),
            "writes of rows during the trials"
        );
        var trials = await TrialsAsync();
        Assert.That(
            trials.Zip(trials.Skip(1)).Where(t => t.Second.At < t.First.Next),
            Is.Empty,
            "trials before the time that the one before had set"
        );

        await LimitAsync(full, 10 * Rows);
        await Eventually.That(
            () => TestSystem.Database.CountAsync("outbox where exchange = $1", exchange),
            Is.Zero,
            "rows in the outbox, soon after the queue takes messages again",
            TimeSpan.FromMinutes(1.5)
        );
        Assert.That(await TestSystem.Database.CountAsync("slow_destinations"), Is.Zero, "destinations on the list");

        // Of one moment: the next trial may begin between two looks.
        async Task<(long Written, long Trials)> CountsAsync()
        {
            var counts = await TestSystem.Database.RowsAsync(
                """
                select (select count(*) from outbox_history),
                    (select count(distinct trial_at) from slow_destinations_history where exchange = $1)
                """,
                exchange
            );
            return ((long)counts[0][0]!, (long)counts[0][1]!);
        }

        // Each claim of a trial sets the time of the next.
        async Task<List<(DateTime At, DateTime Next)>> TrialsAsync() =>
            [
                .. (
                    await TestSystem.Database.RowsAsync(
                        "select min(at), trial_at from slow_destinations_history where exchange = $1 group by trial_at order by 1",
                        exchange
                    )
                ).Select(r => ((DateTime)r[0]!, (DateTime)r[1]!)),
            ];
    }

    [Test, Category("Long")]
    public async Task A_silent_queue_does_not_hold_up_the_rows_of_other_exchanges()
    {
        var silent = await TestSystem.Broker.ListenAsync<Grown>();
        var other = await TestSystem.Broker.ListenAsync<Fed>();
        await using var host = await TestSystem.StartAsync("");
        var exchange = MessageName.ExchangeOf(typeof(Grown));
        Guid[] waiting;
        await SharedServers.FreezeQueueAsync(TestSystem.Broker.Options.VirtualHost, silent, isFrozen: true);
        try
        {
            waiting = await InsertAsync<Grown>(host, Few, id => new Grown(id));
            await Eventually.That(
                () =>
                    host.Log.Lines.Count(l =>
                        l.Line.Contains($"tried one at a time: {exchange} ", StringComparison.Ordinal)
                    ),
                Is.Positive,
                "the silence is found"
            );

            // Each of them is sent beside rows for the silent queue that are due, and the relay waits for none of those.
            var sent = new List<Guid>();
            for (var round = 0; round < 4; round++)
            {
                await TestSystem.FastForwardAsync();
                sent.AddRange(await InsertAsync<Fed>(host, 5, id => new Fed(id)));
                await Eventually.That(
                    () => TestSystem.Broker.CountAsync(other),
                    Is.EqualTo((uint)sent.Count),
                    "messages of the other exchange"
                );
            }

            Assert.That(
                await TestSystem.Database.CountAsync("outbox where exchange = $1", exchange),
                Is.EqualTo(Few),
                "rows that wait for the silent queue"
            );
        }
        finally
        {
            await SharedServers.FreezeQueueAsync(TestSystem.Broker.Options.VirtualHost, silent, isFrozen: false);
        }

        await TestSystem.EventuallyFastForwardingAsync(
            () => TestSystem.Database.CountAsync("outbox"),
            Is.Zero,
            "rows in the outbox",
            TimeSpan.FromSeconds(60)
        );
        Assert.That(
            (await TestSystem.Broker.TakeAllAsync(silent)).Select(m => Guid.Parse(m.BasicProperties.MessageId!)),
            Is.SupersetOf(waiting)
        );
    }

    private static int TrialsOf(RunningHost host, string exchange) =>
        host.Log.Lines.Count(l =>
            l.Line.Contains("Message was rejected by the broker", StringComparison.Ordinal)
            && l.Line.Contains($"exchange '{exchange}'", StringComparison.Ordinal)
        ) - Rows;

    private static async Task<Guid[]> InsertAsync<T>(RunningHost host, int count, Func<Guid, T> message)
        where T : class
    {
        var writer = host.Services.GetRequiredService<OutboxWriter>();
        var rows = Enumerable
            .Range(0, count)
            .Select(_ => OutgoingMessage.Create(message(Guid.NewGuid()), Guid.NewGuid()))
            .ToArray();
        foreach (var row in rows)
            await writer.InsertAsync(row, CancellationToken.None);
        return Array.ConvertAll(rows, r => r.MessageId);
    }

    private Task LimitAsync(string queue, int most) =>
        TestSystem.Broker.Management.PutPolicyAsync(
            TestSystem.Broker.Options.VirtualHost,
            "full",
            $"^{queue}$",
            "quorum_queues",
            new Dictionary<string, object> { ["max-length"] = most, ["overflow"] = "reject-publish" },
            CancellationToken.None
        );

    // A quorum queue takes a few more than its limit before it begins to refuse.
    private async Task<bool> IsRefusedAsync(string queue)
    {
        try
        {
            await TestSystem.Broker.PublishBytesAsync("", new byte[1], new ByHand { RoutingKey = queue });
            return false;
        }
        catch (RabbitMQ.Client.Exceptions.PublishException)
        {
            return true;
        }
    }
}
