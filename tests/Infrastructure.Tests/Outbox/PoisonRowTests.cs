using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Orders.Testing;
using Orders.Testing.Zoo;
using QueueWorkers.Outbox;
using RabbitMQ.Client;

namespace Orders.Infrastructure.Tests.Outbox;

/// <summary>
/// Rows that the broker will never take must not hold up the others, and must end where an operator sees them.
/// </summary>
public sealed class PoisonRowTests : SystemFixture
{
    private const int Innocents = 60;
    private const int TooLarge = 17 * 1024 * 1024;

    [OneTimeSetUp]
    public Task KeepHistory() => KeepOutboxHistory();

    [OneTimeSetUp]
    public async Task DeclareAnExchangeThatLeadsNowhere()
    {
        await using var connection = await QueueWorkers
            .Messaging.BrokerConnection.CreateFactory(TestSystem.Broker.Options)
            .CreateConnectionAsync();
        await using var channel = await connection.CreateChannelAsync();
        await channel.ExchangeDeclareAsync("leads-nowhere", ExchangeType.Fanout, durable: true);
    }

    [Test]
    public async Task Innocent_rows_get_past_poison_and_poison_is_quarantined([Values] bool fastPath)
    {
        var listener = await TestSystem.Broker.ListenAsync<Born>();
        var poison = new[]
        {
            Poison("no-such-exchange"),
            Poison("leads-nowhere"),
            Poison(MessageName.ExchangeOf(typeof(Born)), new byte[TooLarge]),
        };
        var rows = new List<OutboxMessage>();
        for (var i = 0; i < Innocents; i++)
        {
            rows.Add(OutgoingMessage.Create(new Born(Guid.NewGuid()), Guid.NewGuid()));
            if (i % 20 == 5)
                rows.Add(poison[i / 20]);
        }

        await using var host = await TestSystem.StartAsync("", null, ("Outbox:MaxAttempts", "3"));
        await using (var connection = await TestSystem.Database.Source.OpenConnectionAsync())
            await OutboxWriter.InsertAsync(connection, rows);
        if (fastPath)
        {
            // The poller finds none of them due: what arrives went the fast path, however long that takes.
            await TestSystem.Database.ExecuteAsync(
                "update outbox set due_at = now() + interval '1 hour' where id = any($1)",
                rows.Select(r => r.Id).ToArray()
            );
            rows.ForEach(host.Feed.Offer);
        }
        else
            await TestSystem.FastForwardAsync();

        // A message too large closes the channel under those that were not confirmed yet: they may come twice, and
        // steps drop the copy.
        var arrived = new HashSet<Guid>();
        var offered = Stopwatch.StartNew();
        await Eventually.Is(
            async () =>
            {
                arrived.UnionWith(await ArrivedAsync(listener));
                // What a busy machine has kept in memory for too long is left to the poller, which comes in an hour.
                if (fastPath && offered.Elapsed > OutboxTable.Lease)
                {
                    rows.Except(poison).Where(r => !arrived.Contains(r.MessageId)).ToList().ForEach(host.Feed.Offer);
                    offered.Restart();
                }

                return arrived.IsSupersetOf(rows.Except(poison).Select(r => r.MessageId));
            },
            "all innocent messages have arrived",
            TimeSpan.FromMinutes(1)
        );
        await TestSystem.EventuallyFastForwardingAsync(
            () =>
                TestSystem.Database.CountAsync(
                    "outbox where dead_at is not null and id = any($1)",
                    poison.Select(p => p.Id).ToArray()
                ),
            Is.EqualTo(3),
            "quarantined rows"
        );

        var attempts = await TestSystem.Database.RowsAsync(
            "select attempts, last_error from outbox where id = any($1)",
            poison.Select(p => p.Id).ToArray()
        );
        Assert.That(attempts.Select(r => r[0]), Is.All.EqualTo((short)3));
        var errors = string.Join('\n', attempts.Select(r => r[1]));
        Assert.That(errors, Does.Contain("404").And.Contain("no queue is bound").And.Contain("larger than"));
    }

    /// <summary>
    /// Rows that the client or the broker's frame cannot hold: the channel stays open, or the whole connection is
    /// closed.
    /// </summary>
    private static IEnumerable<TestCaseData> RowsThatCannotBeEncoded()
    {
        var longText = new string('x', 256);
        var exchange = MessageName.ExchangeOf(typeof(Born));
        yield return Case(
            "correlation id",
            new() { CorrelationId = longText, Exchange = exchange },
            "correlation id (256 bytes)"
        );
        // 128 characters of two bytes each.
        yield return Case(
            "routing key",
            new() { RoutingKey = new string('ä', 128), Exchange = exchange },
            "routing key (256 bytes)"
        );
        yield return Case("exchange", new() { Exchange = longText }, "exchange (256 bytes)");
        yield return Case(
            "content type",
            new() { ContentType = longText, Exchange = exchange },
            "content type (256 bytes)"
        );
        yield return Case(
            "header name",
            new() { Headers = $$"""{"{{longText}}":1}""", Exchange = exchange },
            "header name (256 bytes)"
        );
        yield return Case(
            "headers that are no JSON",
            new() { Headers = "{\"a\":", Exchange = exchange },
            "JsonReaderException"
        );
        yield return Case(
            "headers that are no object",
            new() { Headers = "\"text\"", Exchange = exchange },
            "InvalidOperationException"
        );
        yield return Case(
            "half a character in a header",
            new() { Headers = """{"a":"\ud800"}""", Exchange = exchange },
            "InvalidOperationException"
        );
        yield return Case(
            "headers larger than a frame",
            new() { Headers = $$"""{"a":"{{new string('x', 200_000)}}"}""", Exchange = exchange },
            "frame"
        );

        static TestCaseData Case(string name, OutboxMessage poison, string error) =>
            new TestCaseData(poison, error).SetArgDisplayNames(name);
    }

    [TestCaseSource(nameof(RowsThatCannotBeEncoded))]
    public async Task A_row_that_cannot_be_encoded_is_quarantined_and_the_others_leave_once(
        OutboxMessage like,
        string error
    )
    {
        var listener = await TestSystem.Broker.ListenAsync<Born>();
        await TestSystem.Database.ExecuteAsync("delete from outbox");
        var due = DateTimeOffset.UtcNow;
        OutboxMessage[] poison = [Of(like), Of(like), Of(like)];
        var innocents = Enumerable
            .Range(0, Innocents)
            .Select(_ => OutgoingMessage.Create(new Born(Guid.NewGuid()), Guid.NewGuid(), dueAt: due))
            .ToArray();
        OutboxMessage[] rows =
        [
            .. innocents[..20],
            poison[0],
            .. innocents[20..40],
            poison[1],
            poison[2],
            .. innocents[40..],
        ];
        await using (var connection = await TestSystem.Database.Source.OpenConnectionAsync())
            await OutboxWriter.InsertAsync(connection, rows);

        await using var host = await TestSystem.StartAsync("", null, ("Outbox:MaxAttempts", "2"));

        await Eventually.That(
            () => TestSystem.Database.CountAsync("outbox where attempts > 0"),
            Is.EqualTo(poison.Length),
            "rows that were refused once"
        );
        await TestSystem.EventuallyFastForwardingAsync(
            () =>
                TestSystem.Database.CountAsync(
                    "outbox where dead_at is not null and id = any($1)",
                    poison.Select(p => p.Id).ToArray()
                ),
            Is.EqualTo(poison.Length),
            "quarantined rows"
        );
        await EachArrivedOnceAsync(listener, innocents.Select(i => i.MessageId));
        Assert.That(await TestSystem.Database.CountAsync("outbox"), Is.EqualTo(poison.Length), "rows left");
        var said = (await TestSystem.Database.RowsAsync("select last_error from outbox")).Select(r => (string)r[0]!);
        Assert.That(said, Is.All.Contains(error));

        OutboxMessage Of(OutboxMessage m) =>
            new()
            {
                MessageId = Guid.NewGuid(),
                Exchange = m.Exchange,
                RoutingKey = m.RoutingKey,
                CorrelationId = m.CorrelationId,
                ContentType = m.ContentType,
                Headers = m.Headers,
                Body = [1],
                DueAt = due,
            };
    }

    [Test]
    public async Task A_refused_row_waits_twice_as_long_each_time()
    {
        await using var host = await TestSystem.StartAsync("");
        var poison = Poison("no-such-exchange");
        await host.Services.GetRequiredService<OutboxWriter>().InsertAsync(poison, CancellationToken.None);
        await WaitAfterAttemptAsync(1, 2);

        await TestSystem.Database.ExecuteAsync("update outbox set due_at = now() where id = $1", poison.Id);
        await WaitAfterAttemptAsync(2, 4);

        // As it was written: the row goes on meanwhile.
        Task<double> WaitAfterAttemptAsync(short attempt, double seconds) =>
            Eventually.That(
                () =>
                    TestSystem.Database.ScalarAsync<double>(
                        "select coalesce(max(wait), 0) from outbox_history where id = $1 and attempts = $2",
                        poison.Id,
                        attempt
                    ),
                Is.InRange(seconds * 0.9, seconds * 1.9),
                $"wait after attempt {attempt}"
            );
    }

    private static OutboxMessage Poison(string exchange, byte[]? body = null) =>
        new()
        {
            MessageId = Guid.NewGuid(),
            Exchange = exchange,
            Body = body ?? [1],
        };
}
