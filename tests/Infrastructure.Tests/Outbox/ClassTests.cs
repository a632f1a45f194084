using Orders.Testing;
using Orders.Testing.Servers;
using Orders.Testing.Zoo;
using QueueWorkers.Outbox;
using QueueWorkers.Outbox.Relaying;

namespace Orders.Infrastructure.Tests.Outbox;

/// <summary>The higher class leaves first, by fast path and by poller; the others keep a share.</summary>
public sealed class ClassTests : SystemFixture
{
    [Test]
    public void The_fast_path_takes_the_higher_class_first_and_leaves_a_fifth_to_the_others()
    {
        var offered = new OfferQueue();
        for (var i = 0; i < 200; i++)
            offered.TryAdd(new RelayFeed.Fresh(Row(null), Environment.TickCount64));
        for (var i = 0; i < 200; i++)
            offered.TryAdd(new RelayFeed.Fresh(Row(7), Environment.TickCount64));
        var (lanes, batch) = (new PriorityBatcher(offered, 100), new List<OutboxMessage>());

        Assert.That(lanes.Take(batch, TimeSpan.FromMinutes(1)));
        Assert.That(
            batch.Select(m => m.Priority),
            Is.EqualTo(Enumerable.Repeat<short?>(7, 80).Concat(Enumerable.Repeat<short?>(null, 20)))
        );
        var rest = new List<short?>();
        while (lanes.Take(batch, TimeSpan.FromMinutes(1)))
            rest.AddRange(batch.Select(m => m.Priority));
        Assert.That(rest.Count(p => p == 7), Is.EqualTo(120), "none is lost");
        Assert.That(rest, Has.Count.EqualTo(300));
    }

    [Test]
    public async Task What_has_become_too_old_in_memory_is_left_to_the_poll()
    {
        var offered = new OfferQueue();
        // Far apart: a busy machine holds this test up for seconds.
        var tenMinutes = (long)TimeSpan.FromMinutes(10).TotalMilliseconds;
        offered.TryAdd(new RelayFeed.Fresh(Row(7), Environment.TickCount64 - tenMinutes));
        offered.TryAdd(new RelayFeed.Fresh(Row(null), Environment.TickCount64));
        var (lanes, batch) = (new PriorityBatcher(offered, 100), new List<OutboxMessage>());

        await lanes.WaitAsync(CancellationToken.None);
        Assert.That(lanes.Take(batch, TimeSpan.FromMinutes(5)));
        Assert.That(batch.Select(m => m.Priority), Is.EqualTo(new short?[] { null }));
    }

    [Test]
    public async Task A_poll_takes_the_higher_class_first_and_always_some_of_the_oldest()
    {
        await using var connection = await TestSystem.Database.Source.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        var due = DateTimeOffset.UtcNow.AddMinutes(-1);
        await OutboxWriter.InsertAsync(
            connection,
            [
                .. Enumerable.Range(0, 60).Select(_ => Row(null, due)),
                .. Enumerable.Range(0, 60).Select(_ => Row(7, due.AddSeconds(30))),
            ]
        );

        var rows = await OutboxQueries.TakeAsync(connection, 20, DateTimeOffset.MinValue, CancellationToken.None);

        Assert.That(
            rows.Select(r => r.Priority),
            Is.EqualTo(Enumerable.Repeat<short?>(7, 10).Concat(Enumerable.Repeat<short?>(null, 20)))
        );
        await transaction.RollbackAsync();
    }

    [Test]
    public async Task What_a_step_sends_keeps_the_class_of_what_it_consumes_also_after_a_redelivery()
    {
        var born = await TestSystem.Broker.ListenAsync<Born>();
        var script = new StepScript();
        await using var host = await TestSystem.StartAsync([script.In(TestSystem.Catalogue.Choose("mother")[0])]);
        var (premium, normal) = (Guid.NewGuid(), Guid.NewGuid());
        script.For(
            premium,
            (_, run) => run == 1 ? throw new TimeoutException("The outside world is slow today.") : Task.CompletedTask
        );
        await TestSystem.Broker.PublishToAsync("mother", new Feed(premium), new ByHand { Priority = 7 });
        await TestSystem.Broker.PublishToAsync("mother", new Feed(normal));

        // By subject: a row that is made due while its relay is sending it is sent twice.
        var sent = new Dictionary<Guid, byte?>();
        await TestSystem.EventuallyFastForwardingAsync(
            async () =>
            {
                foreach (var m in await TestSystem.Broker.TakeAllAsync(born))
                    sent[Guid.Parse(m.BasicProperties.CorrelationId!)] = m.BasicProperties.IsPriorityPresent()
                        ? m.BasicProperties.Priority
                        : null;
                return sent.Count;
            },
            Is.EqualTo(2),
            "subjects that the step sent a message of"
        );
        Assert.That((sent[premium], sent[normal]), Is.EqualTo(((byte?)7, (byte?)null)));
    }

    private static OutboxMessage Row(short? priority, DateTimeOffset? due = null) =>
        OutgoingMessage.Create(new Fed(Guid.NewGuid()), Guid.NewGuid(), dueAt: due, priority: priority);
}
