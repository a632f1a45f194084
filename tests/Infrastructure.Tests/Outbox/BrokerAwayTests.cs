using Microsoft.Extensions.DependencyInjection;
using Orders.Testing;
using Orders.Testing.Servers;
using Orders.Testing.Zoo;
using QueueWorkers.Outbox;

namespace Orders.Infrastructure.Tests.Outbox;

/// <summary>While the broker is away messages wait in the table, and it costs them nothing.</summary>
public sealed class BrokerAwayTests : SystemFixture
{
    [Test]
    public async Task Messages_wait_while_the_broker_is_away_and_all_arrive_when_it_is_back()
    {
        await using var network = new TcpProxy(TestSystem.Broker.Options.Host, TestSystem.Broker.Options.EffectivePort);
        var listener = await TestSystem.Broker.ListenAsync<Born>();
        await using var host = await TestSystem.StartAsync(
            "",
            null,
            ("RabbitMq:Host", "127.0.0.1"),
            ("RabbitMq:Port", $"{network.Port}")
        );
        var writer = host.Services.GetRequiredService<OutboxWriter>();
        var before = OutgoingMessage.Create(new Born(Guid.NewGuid()), Guid.NewGuid());
        await writer.InsertAsync(before, CancellationToken.None);
        await UntilArrivedAsync(listener, 1);
        await TestSystem.UntilOutboxIsEmptyAsync();

        network.Cut();
        var during = Enumerable
            .Range(0, 20)
            .Select(_ => OutgoingMessage.Create(new Born(Guid.NewGuid()), Guid.NewGuid()))
            .ToArray();
        foreach (var message in during)
            await writer.InsertAsync(message, CancellationToken.None);
        // Due at once, so that the relay has tried in vain before the broker is back.
        await TestSystem.FastForwardAsync();
        await Eventually.Is(
            () => host.Log.Lines.Any(l => l.Line.Contains("Connecting to the broker failed", StringComparison.Ordinal)),
            "the relay has noticed that the broker is away"
        );
        Assert.That(
            await TestSystem.Database.CountAsync("outbox where attempts = 0 and dead_at is null"),
            Is.EqualTo(during.Length),
            "rows that wait and have used no attempt"
        );

        network.Restore();
        await TestSystem.EventuallyFastForwardingAsync(
            () => TestSystem.Database.CountAsync("outbox"),
            Is.Zero,
            "rows in the outbox"
        );
        Assert.That(
            (await ArrivedAsync(listener)).Distinct(),
            Is.EquivalentTo(during.Append(before).Select(m => m.MessageId))
        );
    }
}
