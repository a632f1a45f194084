using Microsoft.Extensions.DependencyInjection;
using Orders.Testing;
using Orders.Testing.Zoo;
using QueueWorkers.Outbox;
using RabbitMQ.Client;

namespace Orders.Infrastructure.Tests.Outbox;

/// <summary>Rows that the broker will never take must not hold up the others, and must end where an operator sees them.</summary>
public sealed class PoisonRowTests : SystemFixture
{
    private const int Innocents = 60;
    private const int TooLarge = 17 * 1024 * 1024;

    [OneTimeSetUp]
    public async Task DeclareAnExchangeThatLeadsNowhere()
    {
        await using var connection = await QueueWorkers.Messaging.BrokerConnection.CreateFactory(TestSystem.Broker.Options).CreateConnectionAsync();
        await using var channel = await connection.CreateChannelAsync();
        await channel.ExchangeDeclareAsync("leads-nowhere", ExchangeType.Fanout, durable: true);
    }

    [Test]
    public async Task Innocent_rows_get_past_poison_and_poison_is_quarantined([Values] bool fastPath)
    {
        var listener = await TestSystem.Broker.ListenAsync<Born>();
        var poison = new[] { Poison("no-such-exchange"), Poison("leads-nowhere"), Poison(MessageName.ExchangeOf(typeof(Born)), new byte[TooLarge]) };
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
            rows.ForEach(host.Feed.Offer);
        else
            await TestSystem.FastForwardAsync();

        // A message too large closes the channel under those that were not confirmed yet: they may come twice, and steps drop the copy.
        var arrived = new HashSet<Guid>();
        await Eventually.Is(
            async () =>
            {
                arrived.UnionWith(await ArrivedAsync(listener));
                return arrived.IsSupersetOf(rows.Except(poison).Select(r => r.MessageId));
            },
            "all innocent messages have arrived", fastPath ? OutboxTable.Lease * 0.9 : null);
        await TestSystem.EventuallyFastForwardingAsync(() => TestSystem.Database.CountAsync("outbox where dead_at is not null and id = any($1)", poison.Select(p => p.Id).ToArray()), Is.EqualTo(3), "quarantined rows");

        var attempts = await TestSystem.Database.RowsAsync("select attempts, last_error from outbox where id = any($1)", poison.Select(p => p.Id).ToArray());
        Assert.That(attempts.Select(r => r[0]), Is.All.EqualTo((short)3));
        var errors = string.Join('\n', attempts.Select(r => r[1]));
        Assert.That(errors, Does.Contain("404").And.Contain("no queue is bound").And.Contain("larger than"));
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

        async Task WaitAfterAttemptAsync(short attempt, double seconds)
        {
            await Eventually.That(() => TestSystem.Database.ScalarAsync<short>("select attempts from outbox where id = $1", poison.Id), Is.EqualTo(attempt), "attempts");
            var wait = await TestSystem.Database.ScalarAsync<double>("select extract(epoch from due_at - now())::float8 from outbox where id = $1", poison.Id);
            Assert.That(wait, Is.InRange(seconds - 2, seconds));
        }
    }

    private static OutboxMessage Poison(string exchange, byte[]? body = null) => new() { MessageId = Guid.NewGuid(), Exchange = exchange, Body = body ?? [1] };
}
