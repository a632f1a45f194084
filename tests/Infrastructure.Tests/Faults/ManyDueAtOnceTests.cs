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
        await using var host = await TestSystem.StartAsync("");
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
        // Unless it has its own way past the others, a fresh message leaves a lease later: after all of them.
        var left = 0L;
        for (var i = 0; i < Fresh; i++)
        {
            await writer.InsertAsync(
                OutgoingMessage.Create(new Born(Guid.NewGuid()), Guid.NewGuid()),
                CancellationToken.None
            );
            left = Math.Max(
                left,
                await TestSystem.Database.CountAsync("outbox where exchange = $1", MessageName.ExchangeOf(typeof(Fed)))
            );
        }

        await UntilArrivedAsync(fresh, Fresh, OutboxTable.Lease);
        await UntilArrivedAsync(late, Due, TimeSpan.FromSeconds(60));
        await TestSystem.UntilOutboxIsEmptyAsync();
        Assert.That(left, Is.GreaterThan(0), "delayed messages that were still waiting when fresh ones were written");
    }
}
