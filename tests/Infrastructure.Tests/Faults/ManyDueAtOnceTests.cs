using Microsoft.Extensions.DependencyInjection;
using Orders.Testing;
using Orders.Testing.Zoo;
using QueueWorkers.Outbox;

namespace Orders.Infrastructure.Tests.Faults;

/// <summary>Many delayed messages that fall due in the same moment do not hold up what is new.</summary>
public sealed class ManyDueAtOnceTests : SystemFixture
{
    private const int Due = 10_000;
    private const int Fresh = 100;

    [Test]
    public async Task Fresh_messages_pass_ten_thousand_that_fall_due_at_once()
    {
        var (late, fresh) = (await TestSystem.Broker.ListenAsync<Fed>(), await TestSystem.Broker.ListenAsync<Born>());
        // When which rows have left, by the database: the order is judged, and no time. Each batch of the ten thousand
        // takes a moment: they are not through before the fresh ones have come, however late the test is.
        await TestSystem.Database.ExecuteAsync(
            """
            create table departures (exchange text, at timestamptz);
            create function note_departures() returns trigger language plpgsql security definer as
                'begin insert into departures select exchange, clock_timestamp() from gone;
                if (select count(*) > 50 from gone) then perform pg_sleep(0.05); end if; return null; end';
            create trigger noted after delete on outbox referencing old table as gone
                for each statement execute function note_departures()
            """
        );
        // Small batches: the ten thousand take a while.
        await using var host = await TestSystem.StartAsync("", null, ("Outbox:BatchSize", "100"));
        var writer = host.Services.GetRequiredService<OutboxWriter>();
        var due = DateTimeOffset.UtcNow.AddSeconds(2);
        foreach (
            var part in Enumerable
                .Range(0, Due)
                .Select(_ => OutgoingMessage.Create(new Fed(Guid.NewGuid()), Guid.NewGuid(), dueAt: due))
                .Chunk(2000)
        )
        {
            await using var connection = await TestSystem.Database.Source.OpenConnectionAsync();
            await OutboxWriter.InsertAsync(connection, part);
        }

        await Eventually.That(
            () => TestSystem.Broker.CountAsync(late),
            Is.GreaterThan(0u),
            "delayed messages that have arrived"
        );
        for (var i = 0; i < Fresh; i += 10)
            await Task.WhenAll(
                Enumerable
                    .Range(0, 10)
                    .Select(_ =>
                        writer.InsertAsync(
                            OutgoingMessage.Create(new Born(Guid.NewGuid()), Guid.NewGuid()),
                            CancellationToken.None
                        )
                    )
            );

        await TestSystem.UntilOutboxIsEmptyAsync(TimeSpan.FromMinutes(2));
        await UntilArrivedAsync(fresh, Fresh);
        await UntilArrivedAsync(late, Due);
        var drained = await TestSystem.Database.ScalarAsync<double>(
            "select extract(epoch from max(at) - min(at))::float8 from departures where exchange = $1",
            MessageName.ExchangeOf(typeof(Fed))
        );
        await TestContext.Out.WriteLineAsync($"The delayed messages left within {drained:0.0} s.");
        // Unless it has its own way past the others, a fresh message leaves a lease later: after all of them.
        Assert.That(
            await TestSystem.Database.CountAsync(
                "departures where exchange = $1 and at < (select max(at) from departures where exchange = $2)",
                MessageName.ExchangeOf(typeof(Born)),
                MessageName.ExchangeOf(typeof(Fed))
            ),
            Is.GreaterThan(Fresh / 2),
            "fresh messages that left before the last of the delayed ones"
        );
    }
}
