using Microsoft.Extensions.DependencyInjection;
using Orders.Testing;
using Orders.Testing.Zoo;
using QueueWorkers.Outbox;

namespace Orders.Infrastructure.Tests.Outbox;

/// <summary>Rows that nobody offered in memory: left by a dead process, delayed, or too many.</summary>
public sealed class RelayTests : SystemFixture
{
    [OneTimeSetUp]
    public Task KeepHistory() => KeepOutboxHistory();

    [Test]
    public async Task A_row_left_by_a_dead_process_is_sent_by_another()
    {
        var listener = await TestSystem.Broker.ListenAsync<Born>();
        // Committed and never offered: what a process leaves that dies right after its commit.
        await WriteAsync([OutgoingMessage.Create(new Born(Guid.NewGuid()), Guid.NewGuid())]);

        await using var host = await TestSystem.StartAsync("");

        await UntilArrivedAsync(listener, 1);
        await TestSystem.UntilOutboxIsEmptyAsync();
    }

    [Test]
    public async Task Three_relays_send_each_of_two_thousand_rows_once()
    {
        var listener = await TestSystem.Broker.ListenAsync<Fed>();
        var rows = Enumerable
            .Range(0, 2000)
            .Select(_ => OutgoingMessage.Create(new Fed(Guid.NewGuid()), Guid.NewGuid(), dueAt: DateTimeOffset.UtcNow))
            .ToArray();
        await WriteAsync(rows);

        var hosts = await Task.WhenAll(
            Enumerable.Range(0, 3).Select(_ => TestSystem.StartAsync("", null, ("Outbox:BatchSize", "100")))
        );

        await EachArrivedOnceAsync(listener, rows.Select(r => r.MessageId));
        foreach (var host in hosts)
            await host.DisposeAsync();
    }

    [Test]
    public async Task A_delayed_row_leaves_at_its_time()
    {
        var listener = await TestSystem.Broker.ListenAsync<Grown>();
        // Nobody else looks, and the interval ends long after the bound: only the exact wake-up can be in time.
        await using var host = await TestSystem.StartAsync("", null, ("Outbox:PollInterval", "00:01:00"));
        var due = DateTimeOffset.UtcNow.AddSeconds(2);
        await host
            .Services.GetRequiredService<OutboxWriter>()
            .InsertAsync(
                OutgoingMessage.Create(new Grown(Guid.NewGuid()), Guid.NewGuid(), dueAt: due),
                CancellationToken.None
            );

        await UntilArrivedAsync(listener, 1, TimeSpan.FromMinutes(2));
        Assert.That(DateTimeOffset.UtcNow, Is.InRange(due, due.AddSeconds(45)));
    }

    private async Task WriteAsync(IReadOnlyList<OutboxMessage> rows)
    {
        await using var connection = await TestSystem.Database.Source.OpenConnectionAsync();
        await OutboxWriter.InsertAsync(connection, rows);
    }
}
