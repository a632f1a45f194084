using Orders.CrashPoints.Tests.Lanes;
using Orders.Testing;
using Orders.Testing.Zoo;
using QueueWorkers.Outbox;

namespace Orders.CrashPoints.Tests.Faults;

/// <summary>
/// Rows of megabytes are due, more than the process has memory for: its relay takes them by bytes, and not by count.
/// </summary>
[Category("Long")]
public sealed class RelayMemoryTests
{
    private const int Large = 150;
    private const int LargeBytes = 8 * 1024 * 1024;
    private const int Small = 100;

    // The runtime ends a process that needs more for its objects: 300 MB, beside 1.2 GB of rows.
    private const string HeapLimit = "0x12C00000";

    [Test]
    public async Task A_relay_with_a_heap_of_300_megabytes_sends_1200_megabytes_of_large_rows_and_small_ones_with_them()
    {
        await using var system = await OrdersSystem.CreateAsync(ZooCatalogue.Of());
        var listener = await system.Broker.ListenAsync<Born>();
        var small = Enumerable
            .Range(0, Small)
            .Select(_ => OutgoingMessage.Create(new Born(Guid.NewGuid()), Guid.NewGuid(), dueAt: DateTimeOffset.UtcNow))
            .ToArray();
        // No queue is bound to their exchange, and none needs to be: the broker confirms them and keeps nothing.
        await system.Database.ExecuteAsync(
            """
            insert into outbox (id, message_id, exchange, routing_key, content_type, headers, body, mandatory, due_at,
                attempts)
            select gen_random_uuid(), gen_random_uuid(), 'amq.fanout', '', 'text/plain', '{}',
                convert_to(repeat('x', $2), 'UTF8'), false, now() - interval '1 minute', 0
            from generate_series(1, $1)
            """,
            Large,
            LargeBytes
        );
        await using (var connection = await system.Database.Source.OpenConnectionAsync())
            await OutboxWriter.InsertAsync(connection, small);

        // An API without clients is a relay and nothing else.
        await using var relay = new HostProcess(
            "Orders.Producer.Api",
            system.Settings(("DOTNET_GCHeapHardLimit", HeapLimit))
        );
        await relay.UntilReadyAsync();

        await Eventually.That(
            () => system.Database.CountAsync("outbox"),
            Is.Zero,
            "rows in the outbox",
            TimeSpan.FromSeconds(60)
        );
        Assert.Multiple(async () =>
        {
            Assert.That(relay.Starts, Is.EqualTo(1), $"starts of the relay, whose last lines are\n{relay}");
            Assert.That(relay.ToString(), Does.Not.Contain("OutOfMemoryException"));
            Assert.That(
                (await system.Broker.TakeAllAsync(listener)).Select(m => Guid.Parse(m.BasicProperties.MessageId!)),
                Is.EquivalentTo(small.Select(m => m.MessageId)),
                "small messages that have arrived"
            );
        });
    }
}
