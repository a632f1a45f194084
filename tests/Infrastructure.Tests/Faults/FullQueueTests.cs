using Microsoft.Extensions.DependencyInjection;
using Orders.Testing;
using Orders.Testing.Zoo;
using QueueWorkers.Outbox;

namespace Orders.Infrastructure.Tests.Faults;

/// <summary>
/// A queue that has reached its length limit refuses; the rows wait for it, however long, and are never given up.
/// </summary>
public sealed class FullQueueTests : SystemFixture
{
    [Test]
    public async Task Rows_wait_for_a_full_queue_and_all_arrive_when_there_is_room()
    {
        var listener = await TestSystem.Broker.ListenAsync<Born>();
        await TestSystem.Broker.Management.PutPolicyAsync(
            TestSystem.Broker.Options.VirtualHost,
            "full",
            $"^{listener}$",
            "quorum_queues",
            new Dictionary<string, object> { ["max-length"] = 1, ["overflow"] = "reject-publish" },
            CancellationToken.None
        );
        await using var host = await TestSystem.StartAsync("", null, ("Outbox:MaxAttempts", "2"));
        var writer = host.Services.GetRequiredService<OutboxWriter>();
        var sent = new List<Guid>();

        // A policy takes a moment to reach its queue: publish until the broker says no.
        await Eventually.That(
            async () =>
            {
                var message = OutgoingMessage.Create(new Born(Guid.NewGuid()), Guid.NewGuid());
                sent.Add(message.MessageId);
                await writer.InsertAsync(message, CancellationToken.None);
                return await RefusedAsync();
            },
            Is.GreaterThan(0),
            "rows that the broker has refused"
        );
        // More refusals than a row that nobody wants would survive.
        var lookedAgain = 0;
        await Eventually.Is(
            async () =>
            {
                await TestSystem.FastForwardAsync();
                return host.Log.Lines.Count(l => l.Line.Contains("a queue is full", StringComparison.Ordinal)) > 3
                    && ++lookedAgain > 5;
            },
            "the broker has refused again and again"
        );
        Assert.That(
            await TestSystem.Database.CountAsync("outbox where attempts > 0 or dead_at is not null"),
            Is.Zero,
            "rows that have used an attempt or are quarantined"
        );

        // A consumer comes and makes room, again and again.
        var arrived = new List<Guid>();
        await TestSystem.EventuallyFastForwardingAsync(
            async () =>
            {
                arrived.AddRange(await ArrivedAsync(listener));
                return await TestSystem.Database.CountAsync("outbox");
            },
            Is.Zero,
            "rows in the outbox",
            TimeSpan.FromSeconds(60)
        );
        arrived.AddRange(await ArrivedAsync(listener));
        Assert.That(arrived.Distinct(), Is.EquivalentTo(sent));

        Task<long> RefusedAsync() => TestSystem.Database.CountAsync("outbox where last_error like '%full%'");
    }
}
