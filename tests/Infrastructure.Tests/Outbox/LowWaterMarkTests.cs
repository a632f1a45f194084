using Npgsql;
using Orders.Testing.Zoo;
using QueueWorkers.Outbox;
using QueueWorkers.Outbox.Relaying;

namespace Orders.Infrastructure.Tests.Outbox;

/// <summary>
/// Where looks at the outbox begin: no row may lie before the mark unseen for long, whoever writes it and however its
/// transaction ends.
/// </summary>
public sealed class LowWaterMarkTests : SystemFixture
{
    private static readonly TimeSpan Pause = TimeSpan.FromMinutes(1);
    private static readonly DateTimeOffset At = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    private readonly HandClock _clock = new();

    [SetUp]
    public Task Empty() => TestSystem.Database.ExecuteAsync("delete from outbox");

    [Test]
    public void The_mark_is_the_first_row_or_stays_behind_the_present()
    {
        var mark = new LowWaterMark(_clock);
        Assert.That(mark.From, Is.EqualTo(DateTimeOffset.MinValue), "of a process that has just started");
        Assert.That(mark.NextLook(), Is.EqualTo(DateTimeOffset.MinValue));

        mark.Learn(mark.NextLook(), null, At, TimeSpan.Zero, Pause);
        Assert.That(mark.From, Is.EqualTo(At - LowWaterMark.Slack), "of an empty table");
        mark.Learn(mark.NextLook(), At + Pause, At, TimeSpan.Zero, Pause);
        Assert.That(mark.From, Is.EqualTo(At - LowWaterMark.Slack), "of delayed rows");
        mark.Learn(mark.NextLook(), At - Pause, At, TimeSpan.Zero, Pause);
        Assert.That(mark.From, Is.EqualTo(At - Pause), "of a row that is late");
    }

    [Test]
    public void Looks_from_the_beginning_are_made_once_a_minute_and_take_a_hundredth_of_the_time()
    {
        var mark = new LowWaterMark(_clock);
        mark.Learn(mark.NextLook(), null, At, TimeSpan.FromMilliseconds(1), TimeSpan.FromSeconds(1));
        _clock.Advance(TimeSpan.FromSeconds(59));
        Assert.That(mark.NextLook(), Is.EqualTo(mark.From));
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.That(mark.NextLook(), Is.EqualTo(DateTimeOffset.MinValue));

        mark.Learn(mark.NextLook(), null, At, TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(1));
        _clock.Advance(TimeSpan.FromSeconds(299));
        Assert.That(mark.NextLook(), Is.EqualTo(mark.From));
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.That(mark.NextLook(), Is.EqualTo(DateTimeOffset.MinValue));
    }

    [Test]
    public async Task Rows_that_another_relay_has_taken_stay_behind_the_mark_until_they_are_gone()
    {
        await InsertAsync(DateTimeOffset.UtcNow);
        await using var connection = await TestSystem.Database.Source.OpenConnectionAsync();
        var mark = new LowWaterMark(_clock);
        await using (var other = await TestSystem.Database.Source.OpenConnectionAsync())
        await using (await other.BeginTransactionAsync())
        {
            Assert.That(await TakenAsync(other, mark), Is.EqualTo(1));
            Assert.That(await LookAsync(connection, mark), Is.EqualTo(TimeSpan.Zero), "due, and held elsewhere");
        }

        // It has died: its transaction is rolled back.
        Assert.That(await TakenAsync(connection, mark), Is.EqualTo(1));
    }

    [Test]
    public async Task A_row_whose_due_time_has_passed_for_long_is_due_when_it_is_written()
    {
        await using var connection = await TestSystem.Database.Source.OpenConnectionAsync();
        var mark = new LowWaterMark(_clock);
        Assert.That(await LookAsync(connection, mark), Is.Null);
        await InsertAsync(DateTimeOffset.UtcNow.AddDays(-1));
        Assert.That(await LookAsync(connection, mark), Is.EqualTo(TimeSpan.Zero));
        Assert.That(await TakenAsync(connection, mark), Is.EqualTo(1));
    }

    [Test]
    public async Task A_row_that_came_behind_the_mark_is_found_by_the_next_look_from_the_beginning()
    {
        await using var connection = await TestSystem.Database.Source.OpenConnectionAsync();
        var mark = new LowWaterMark(_clock);
        Assert.That(await LookAsync(connection, mark), Is.Null);
        // As a transaction leaves it that took a minute to commit.
        await InsertAsync(DateTimeOffset.UtcNow);
        await TestSystem.Database.ExecuteAsync("update outbox set due_at = now() - interval '1 minute'");
        Assert.That(await LookAsync(connection, mark), Is.Null);

        _clock.Advance(TimeSpan.FromMinutes(2));
        Assert.That(await LookAsync(connection, mark), Is.EqualTo(TimeSpan.Zero));
        Assert.That(await TakenAsync(connection, mark), Is.EqualTo(1));
    }

    private static async Task<TimeSpan?> LookAsync(NpgsqlConnection connection, LowWaterMark mark) =>
        (await OutboxQueries.NextDueAsync(connection, mark, Pause, CancellationToken.None)).Next;

    private static async Task<int> TakenAsync(NpgsqlConnection connection, LowWaterMark mark) =>
        (await OutboxQueries.TakeAsync(connection, 10, mark.From, CancellationToken.None)).Count;

    private async Task InsertAsync(DateTimeOffset dueAt)
    {
        await using var connection = await TestSystem.Database.Source.OpenConnectionAsync();
        await OutboxWriter.InsertAsync(
            connection,
            [OutgoingMessage.Create(new Fed(Guid.NewGuid()), Guid.NewGuid(), dueAt: dueAt)]
        );
    }

    private sealed class HandClock : TimeProvider
    {
        private long _ticks = TimeSpan.TicksPerHour;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _ticks;

        public void Advance(TimeSpan by) => _ticks += by.Ticks;
    }
}
