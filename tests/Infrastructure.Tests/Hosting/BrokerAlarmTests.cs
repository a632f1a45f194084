using Microsoft.Extensions.DependencyInjection;
using Orders.Testing;
using Orders.Testing.Servers;
using Orders.Testing.Zoo;
using QueueWorkers.Consuming.Watching;
using QueueWorkers.Outbox;
using QueueWorkers.Steps;

namespace Orders.Infrastructure.Tests.Hosting;

/// <summary>A memory alarm: the broker reads no more from connections that publish.</summary>
public sealed class BrokerAlarmTests
{
    private const string Step = "hurried";
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    [Test]
    public async Task An_idle_worker_whose_relay_is_blocked_by_an_alarm_still_knows_that_it_consumes()
    {
        await using var server = await OwnBroker.StartAsync();
        await using var system = await OrdersSystem.CreateAsync(ZooCatalogue.Of(), server.Options);
        await using var host = await system.StartAsync(Step);
        await system.UntilAsync(await SendAsync(host), Step, StepStatus.Done);

        await server.AlarmAsync(isRaised: true);
        Guid held;
        try
        {
            held = await SendAsync(host);
            await Eventually.Is(
                () => host.Log.Lines.Any(l => l.Line.Contains("Broker blocked", StringComparison.Ordinal)),
                "the broker blocks the relay's connection",
                Patience
            );
            using var limit = new CancellationTokenSource(Patience);
            var (cause, reason) = await host
                .Services.GetRequiredService<QueueProbe>()
                .CountAsync(Step, TimeSpan.FromSeconds(15), limit.Token);
            Assert.That(cause, Is.EqualTo(NotConsuming.No), reason);
        }
        finally
        {
            await server.AlarmAsync(isRaised: false);
        }

        await system.UntilAsync(held, Step, StepStatus.Done, Patience);
    }

    private static async Task<Guid> SendAsync(RunningHost host)
    {
        var subject = Guid.NewGuid();
        await host
            .Services.GetRequiredService<OutboxWriter>()
            .InsertAsync(OutgoingMessage.Create(new Feed(subject), subject, queue: Step), CancellationToken.None);
        return subject;
    }
}
