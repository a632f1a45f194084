using QueueWorkers.Outbox;
using QueueWorkers.Outbox.Relaying;

namespace Orders.Infrastructure.Tests.Outbox;

/// <summary>Rows of megabytes: what a relay takes and keeps is bounded by bytes, and nobody waits for ever.</summary>
public sealed class BatchBytesTests : SystemFixture
{
    private const int Megabyte = 1024 * 1024;
    private static readonly TimeSpan Sendable = TimeSpan.FromMinutes(1);

    // One array for all: only lengths matter.
    private static readonly byte[] Three = new byte[3 * Megabyte];
    private static readonly byte[] Twelve = new byte[12 * Megabyte];
    private static readonly byte[] Tiny = new byte[10];

    [Test]
    public async Task A_poll_takes_the_oldest_rows_that_fit()
    {
        var taken = await TakeAsync((Three, null), (Tiny, null), (Three, null), (Three, null), (Tiny, null));
        Assert.That(taken, Is.EquivalentTo([0, 1, 2]));
    }

    [Test]
    public async Task A_poll_takes_one_that_is_larger_than_a_batch_alone()
    {
        var taken = await TakeAsync((Twelve, null), (Tiny, null));
        Assert.That(taken, Is.EqualTo([0]));
    }

    [Test]
    public async Task A_poll_takes_the_oldest_however_large_the_higher_class_is()
    {
        var taken = await TakeAsync((Tiny, null), (Three, null), (Twelve, 7), (Twelve, 7));
        Assert.That(taken, Is.EquivalentTo([0, 1, 2]));
        Assert.That(taken[0], Is.EqualTo(2), "the higher class is sent first");
    }

    [Test]
    public void The_fast_path_takes_what_fits_and_of_each_class_one()
    {
        var offered = new OfferQueue();
        OutboxMessage[] messages =
        [
            .. Enumerable.Range(0, 3).Select(_ => Message(Three, 7)),
            .. Enumerable.Range(0, 3).Select(_ => Message(Three, null)),
        ];
        foreach (var message in messages)
            offered.TryAdd(new RelayFeed.Fresh(message, Environment.TickCount64));
        var (lanes, batch) = (new PriorityBatcher(offered, 500), new List<OutboxMessage>());
        var batches = new List<int[]>();
        while (lanes.Take(batch, Sendable))
            batches.Add([.. batch.Select(m => Array.IndexOf(messages, m))]);
        Assert.That(batches, Is.EqualTo(new int[][] { [0, 1, 3], [2, 4], [5] }));
    }

    [Test]
    public void The_lane_takes_a_batch_by_bytes()
    {
        using var slow = new SlowDestinations(TimeProvider.System);
        for (var i = 0; i < 5; i++)
            slow.Offer(Message(Three, null), TimeSpan.Zero);
        Assert.That(slow.TakeOffered(500, Sendable), Has.Count.EqualTo(3));
        Assert.That(slow.TakeOffered(500, Sendable), Has.Count.EqualTo(2));
    }

    [Test]
    public void What_waits_in_memory_is_bounded_by_bytes_and_what_leaves_makes_room()
    {
        var offered = new OfferQueue();
        var fitting = Enumerable.Range(0, 100).Count(_ => Add());
        Assert.That(offered.Bytes, Is.EqualTo((long)fitting * Twelve.Length).And.InRange(64 * Megabyte, 76 * Megabyte));
        Assert.That(Add(), Is.False, "there is room");
        Assert.That(offered.TryTake(out _));
        Assert.That(Add(), Is.True, "there is room");
        while (offered.TryTake(out _)) { }
        Assert.That((offered.Bytes, offered.IsEmpty), Is.EqualTo((0L, true)));

        bool Add() => offered.TryAdd(new RelayFeed.Fresh(Message(Twelve, null), Environment.TickCount64));
    }

    // Which of the rows, from the oldest, one look takes, in the order in which they are sent.
    private async Task<int[]> TakeAsync(params (byte[] Body, short? Priority)[] rows)
    {
        await using var connection = await TestSystem.Database.Source.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        var since = DateTimeOffset.UtcNow.AddMinutes(-1);
        var messages = rows.Select((row, i) => Message(row.Body, row.Priority, since.AddSeconds(i))).ToArray();
        await OutboxWriter.InsertAsync(connection, messages);
        var taken = await OutboxQueries.TakeAsync(connection, 500, DateTimeOffset.MinValue, CancellationToken.None);
        await transaction.RollbackAsync();
        return [.. taken.Select(m => Array.FindIndex(messages, sent => sent.Id == m.Id))];
    }

    private static OutboxMessage Message(byte[] body, short? priority, DateTimeOffset? due = null) =>
        new()
        {
            MessageId = Guid.NewGuid(),
            Exchange = "amq.fanout",
            Body = body,
            Priority = priority,
            DueAt = due,
        };
}
