using Orders.Testing.Zoo;
using QueueWorkers.Outbox;
using QueueWorkers.Outbox.Relaying;
using QueueWorkers.Outbox.Relaying.Publishing;

namespace Orders.Infrastructure.Tests.Outbox;

/// <summary>
/// The list of destinations that take nothing, with a clock that is set by hand, and what its rows carry.
/// </summary>
public sealed class SlowListTests : SystemFixture
{
    private static readonly TimeSpan Sendable = TimeSpan.FromSeconds(2);

    private readonly HandClock _clock = new();

    [Test]
    public async Task After_a_refused_trial_the_destination_is_not_due_for_another()
    {
        using var slow = new SlowDestinations(_clock);
        var message = Create();
        await BringToTrialAsync(slow, message);

        var changes = slow.Learn([message], [PublishOutcome.Refused("404")], isTrial: true);

        Assert.That(changes, Is.EqualTo(new[] { (Destination.Of(message), (string?)null) }));
        Assert.That(slow.Contains(message), Is.False);
        using var ended = new CancellationTokenSource();
        var next = slow.NextAsync(ended.Token);
        Assert.That(next.IsCompleted, Is.False, "a destination is due for a trial");
        await ended.CancelAsync();
        Assert.That(() => next, Throws.InstanceOf<OperationCanceledException>());
    }

    [Test]
    public async Task What_another_relay_tries_is_not_due_here_until_its_next_trial()
    {
        using var slow = new SlowDestinations(_clock);
        var message = Create();
        await BringToTrialAsync(slow, message);
        slow.Postpone(Destination.Of(message), TimeSpan.FromSeconds(9));

        using var ended = new CancellationTokenSource();
        var next = slow.NextAsync(ended.Token);
        Assert.That(next.IsCompleted, Is.False, "a destination is due for a trial");
        await ended.CancelAsync();
        Assert.That(() => next, Throws.InstanceOf<OperationCanceledException>());
        _clock.Advance(TimeSpan.FromSeconds(9));
        Assert.That(await slow.NextAsync(CancellationToken.None), Is.EqualTo(Destination.Of(message)));
    }

    [Test]
    public void What_another_relay_has_found_back_is_missing_among_the_rows_only_once_it_is_shared()
    {
        using var slow = new SlowDestinations(_clock);
        var message = Create();
        slow.Learn([message], [PublishOutcome.Silent], isTrial: false);
        Assert.That(slow.MissingIn([]), Is.Empty, "what nobody was told yet");
        slow.Share(Destination.Of(message), TimeSpan.FromSeconds(1));
        Assert.That(slow.MissingIn([Destination.Of(message)]), Is.Empty);
        Assert.That(slow.MissingIn([]), Is.EqualTo(new[] { Destination.Of(message) }));
        Assert.That(slow.Forget(Destination.Of(message), out var hasPutBack), Is.True);
        Assert.That(hasPutBack, Is.False, "whether it has put back a row");
        Assert.That(slow.IsEmpty, Is.True);
    }

    [Test]
    public void What_was_put_back_is_remembered_for_as_long_as_it_waits()
    {
        using var slow = new SlowDestinations(_clock);
        var message = Create();
        var destination = Destination.Of(message);
        Assert.That(slow.NotePutBack(destination), Is.False, "of a destination that is not on the list");
        foreach (var (since, waits) in new[] { (TimeSpan.Zero, true), (SharedTrials.RowsWait, false) })
        {
            slow.Learn([message], [PublishOutcome.Silent], isTrial: false);
            Assert.That(slow.IsShared(destination), Is.False, "before anybody was told");
            Assert.That(slow.NotePutBack(destination), Is.True);
            slow.Share(destination, TimeSpan.Zero);
            Assert.That(slow.IsShared(destination), Is.True);
            slow.Learn([message], [PublishOutcome.Silent], isTrial: true);
            _clock.Advance(since);
            slow.Forget(destination, out var hasPutBack);
            Assert.That(hasPutBack, Is.EqualTo(waits), $"after {since}");
        }
    }

    [Test]
    public void A_row_comes_to_the_lane_with_the_age_of_its_lease()
    {
        using var slow = new SlowDestinations(_clock);
        var (young, old) = (Create(), Create());
        slow.Offer(young, TimeSpan.Zero);
        slow.Offer(old, Sendable);
        Assert.That(slow.TakeOffered(10, Sendable), Is.EqualTo(new[] { young }));
    }

    [Test]
    public async Task A_trial_takes_no_row_that_waits_because_it_was_refused()
    {
        var (refused, waiting) = (Create(attempts: 1), Create());
        await using var connection = await TestSystem.Database.Source.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        var minute = TimeSpan.FromMinutes(1);
        await OutboxQueries.PutBackAsync(
            connection,
            [
                new PublishFailure(refused, refused.Attempts, "404", minute, Dead: false),
                new PublishFailure(waiting, waiting.Attempts, "full", minute, Dead: false),
            ],
            CancellationToken.None
        );

        var destination = Destination.Of(refused);
        var first = await OutboxQueries.TakeOneAsync(
            connection,
            destination,
            DateTimeOffset.MinValue,
            CancellationToken.None
        );
        var second = await OutboxQueries.TakeOneAsync(
            connection,
            destination,
            DateTimeOffset.MinValue,
            CancellationToken.None
        );

        Assert.That(first.Select(m => m.Id), Is.EqualTo(new[] { waiting.Id }));
        Assert.That(second, Is.Empty);
    }

    [Test]
    public async Task What_is_put_back_has_its_whole_wait_before_it_however_long_the_transaction_has_been_open()
    {
        await using var connection = await TestSystem.Database.Source.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        var message = Create();
        await OutboxQueries.PutBackAsync(connection, [PublishFailure.Later(message)], CancellationToken.None);

        await using var due = new Npgsql.NpgsqlCommand(
            "select due_at > now() + $2 from outbox where id = $1",
            connection
        );
        due.Parameters.Add(new() { Value = message.Id });
        due.Parameters.Add(new() { Value = OutboxTable.Lease });
        Assert.That(await due.ExecuteScalarAsync(), Is.True, "the wait counts from the transaction's start");
    }

    [Test]
    public void A_row_keeps_its_error_when_the_broker_goes_away()
    {
        var row = Create(error: "full");
        Assert.That(PublishFailure.Of(row, PublishOutcome.Unsent, maxAttempts: 10).Error, Is.EqualTo("full"));
    }

    private async Task BringToTrialAsync(SlowDestinations slow, OutboxMessage message)
    {
        slow.Learn([message], [PublishOutcome.Silent], isTrial: false);
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.That(await slow.NextAsync(CancellationToken.None), Is.EqualTo(Destination.Of(message)));
    }

    private static OutboxMessage Create(short attempts = 0, string? error = null)
    {
        var like = OutgoingMessage.Create(new Born(Guid.NewGuid()), Guid.NewGuid());
        return new OutboxMessage
        {
            MessageId = like.MessageId,
            Exchange = like.Exchange,
            Headers = like.Headers,
            Body = like.Body,
            Attempts = attempts,
            LastError = error,
        };
    }

    // Its time of day stands still: only the monotonic time counts.
    private sealed class HandClock : TimeProvider
    {
        private long _ticks = TimeSpan.TicksPerHour;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch;

        public override long GetTimestamp() => _ticks;

        public void Advance(TimeSpan by) => _ticks += by.Ticks;
    }
}
