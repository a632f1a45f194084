using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Orders.Testing;
using Orders.Testing.Servers;
using Orders.Testing.Zoo;
using QueueWorkers.Outbox;
using QueueWorkers.Outbox.Relaying;
using QueueWorkers.Outbox.Relaying.Publishing;
using QueueWorkers.Steps;

namespace Orders.Infrastructure.Tests.Outbox;

/// <summary>
/// The relay that had found a destination slow is killed: others take over its trials, and nothing stays on the list.
/// </summary>
public sealed class AbandonedDestinationTests : SystemFixture
{
    private const int Rows = 20;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private static readonly string Exchange = MessageName.ExchangeOf(typeof(Fed));

    protected override StepCatalogue Catalogue => DeadlyZoo.Steps;

    [Test]
    public async Task Two_relays_take_over_the_trials_of_one_that_was_killed()
    {
        var open = await TestSystem.Broker.ListenAsync<Fed>();
        var full = await TestSystem.Broker.ListenAsync<Fed>();
        await LimitAsync(full, 1);
        await Eventually.Is(async () => await IsRefusedAsync(full), "the queue refuses");
        await TestSystem.Broker.TakeAllAsync(open);
        await TestSystem.Database.KeepHistoryAsync(
            "slow_destinations",
            "new.exchange, new.trial_at, clock_timestamp() as at"
        );
        await InsertAsync(Rows);
        await using (var killed = ZooProcess.Start(TestSystem, "clock", ("Workers:Schedules", "false")))
        {
            try
            {
                await Eventually.That(
                    () =>
                        TestSystem.Database.CountAsync(
                            "outbox where exchange = $1 and last_error is not null",
                            Exchange
                        ),
                    Is.EqualTo(Rows),
                    "rows that the process was refused",
                    Patience
                );
                await Eventually.That(CountListedAsync, Is.EqualTo(1), "destinations on the list", Patience);
            }
            catch (AssertionException)
            {
                await TestContext.Out.WriteLineAsync(killed.Output);
                throw;
            }

            await killed.KillAsync();
        }

        // Only a trial takes one of them: none is due by itself.
        await TestSystem.Database.ExecuteAsync("update outbox set due_at = now() + interval '1 day'");
        var tried = await TrialsAsync();
        await using var one = await TestSystem.StartAsync("");
        await using var two = await TestSystem.StartAsync("");
        await Eventually.That(
            async () => (await TrialsAsync()).Count,
            Is.GreaterThanOrEqualTo(tried.Count + 2),
            "trials of the two",
            Patience
        );
        var trials = await TrialsAsync();
        Assert.That(
            trials.Zip(trials.Skip(1)).Where(t => t.Second.At < t.First.Next),
            Is.Empty,
            "trials before the time that the one before had set"
        );

        await TestSystem.Broker.TakeAllAsync(full);
        await LimitAsync(full, 10 * Rows);
        await Eventually.That(CountListedAsync, Is.Zero, "destinations on the list", Patience);
        await Eventually.That(
            () => TestSystem.Broker.CountAsync(full),
            Is.Positive,
            "what the trials have brought to the queue"
        );
        await TestSystem.EventuallyFastForwardingAsync(
            () => TestSystem.Database.CountAsync("outbox"),
            Is.Zero,
            "rows in the outbox",
            Patience
        );
    }

    [Test]
    public async Task A_row_of_the_list_for_which_no_message_waits_is_removed()
    {
        await TestSystem.Database.ExecuteAsync(
            """
            insert into slow_destinations (exchange, routing_key, reason, wait, trial_at)
                values ('gone', '', 'full', interval '1 second', now() - interval '1 minute')
            """
        );
        await using var host = await TestSystem.StartAsync("", null, ("Outbox:ConfirmTimeout", "00:00:01"));
        await Eventually.That(CountListedAsync, Is.Zero, "destinations on the list", Patience);
    }

    [Test]
    public async Task What_was_put_back_before_the_news_that_its_destination_is_back_is_made_due_by_the_news()
    {
        using var sends = CreateSends();
        var message = await InsertAsync(1);
        sends.Slow.Learn(message, [PublishOutcome.Silent], isTrial: false);
        sends.Slow.Share(Destination.Of(message[0]), TimeSpan.FromMinutes(1));
        await WaitAsync(message[0]);
        sends.NoteStranded([PublishFailure.Waiting(message[0], "full")]);

        // Another relay's trial has got through, before this one put its row back.
        await using (var connection = await TestSystem.Database.Source.OpenConnectionAsync())
            await sends.RefreshAsync(connection, CancellationToken.None);
        await sends.ShareAsync(CancellationToken.None);

        Assert.That(sends.Slow.IsEmpty);
        Assert.That(await IsDueAsync(message[0]), "the row is due");
        await TestSystem.Database.ExecuteAsync("delete from outbox");
    }

    [Test]
    public async Task A_relay_that_put_no_row_back_makes_none_due_when_another_one_has_found_the_destination_back()
    {
        using var sends = CreateSends();
        var message = await InsertAsync(1);
        sends.Slow.Learn(message, [PublishOutcome.Silent], isTrial: false);
        sends.Slow.Share(Destination.Of(message[0]), TimeSpan.FromMinutes(1));
        await WaitAsync(message[0]);

        sends.Forget(Destination.Of(message[0]));
        await sends.ShareAsync(CancellationToken.None);

        Assert.That(await IsDueAsync(message[0]), Is.False, "the row is due");
        await TestSystem.Database.ExecuteAsync("delete from outbox");
    }

    [Test]
    public async Task While_another_relay_makes_rows_due_a_second_one_waits_for_its_turn()
    {
        using var sends = CreateSends();
        var message = await InsertAsync(1);
        var destination = Destination.Of(message[0]);
        await WaitAsync(message[0]);
        sends.NoteStranded([PublishFailure.Waiting(message[0], "full")]);
        await using (var other = await TestSystem.Database.Source.OpenConnectionAsync())
        {
            await using var transaction = await other.BeginTransactionAsync();
            await using var turn = new NpgsqlCommand(SharedTrials.Turn, other);
            turn.Parameters.Add(new() { Value = destination.Exchange });
            turn.Parameters.Add(new() { Value = destination.RoutingKey });
            Assert.That(await turn.ExecuteScalarAsync(), Is.True, "the other one has the turn");
            await sends.ShareAsync(CancellationToken.None);
            Assert.That(await IsDueAsync(message[0]), Is.False, "the row is due");
        }

        await sends.ShareAsync(CancellationToken.None);

        Assert.That(await IsDueAsync(message[0]), "the row is due");
        await TestSystem.Database.ExecuteAsync("delete from outbox");
    }

    [Test]
    public async Task A_trial_that_a_clock_ahead_has_set_for_an_hour_later_is_made_at_once()
    {
        using var sends = CreateSends();
        var destination = new Destination(Exchange, "");
        await sends.Trials.AddAsync(destination, "full", TimeSpan.FromHours(1), CancellationToken.None);
        await using (var connection = await TestSystem.Database.Source.OpenConnectionAsync())
            Assert.That(
                await SharedTrials.AbandonedAsync(connection, CancellationToken.None),
                Is.EqualTo(new[] { (destination, "full") })
            );

        var claim = await sends.Trials.ClaimAsync(destination, CancellationToken.None);

        Assert.That(claim?.IsOurs, Is.True, "the claim of the trial");
        Assert.That(claim?.Left, Is.LessThan(TimeSpan.FromMinutes(1)));
        await sends.Trials.RemoveAsync(destination, CancellationToken.None);
    }

    [Test]
    public async Task What_is_put_back_after_the_news_that_its_destination_is_back_is_made_due_at_once()
    {
        using var sends = CreateSends();
        var message = await InsertAsync(1);
        // The decision to let it wait was made while the destination was on the list.
        await WaitAsync(message[0]);
        sends.NoteStranded([PublishFailure.Waiting(message[0], "full")]);
        await sends.ShareAsync(CancellationToken.None);

        Assert.That(await IsDueAsync(message[0]), "the row is due");
        await TestSystem.Database.ExecuteAsync("delete from outbox");
    }

    private RelaySends CreateSends()
    {
        var options = new OutboxOptions();
        var metrics = new RelayMetrics(
            new ServiceCollection().AddMetrics().BuildServiceProvider().GetRequiredService<IMeterFactory>()
        );
        var confirmed = new ConfirmedRows(TestSystem.Database.Source, metrics, NullLogger<Relay>.Instance);
        return new RelaySends(TestSystem.Database.Source, options, confirmed, metrics, NullLogger<Relay>.Instance);
    }

    private Task WaitAsync(OutboxMessage message) =>
        OutboxQueries.DeferAsync(
            TestSystem.Database.Source,
            [PublishFailure.Waiting(message, "full")],
            CancellationToken.None
        );

    private Task<bool> IsDueAsync(OutboxMessage message) =>
        TestSystem.Database.ScalarAsync<bool>(
            "select due_at <= clock_timestamp() from outbox where id = $1",
            message.Id
        );

    private async Task<OutboxMessage[]> InsertAsync(int count)
    {
        OutboxMessage[] rows =
        [
            .. Enumerable.Range(0, count).Select(_ => OutgoingMessage.Create(new Fed(Guid.NewGuid()), Guid.NewGuid())),
        ];
        await using var connection = await TestSystem.Database.Source.OpenConnectionAsync();
        await OutboxWriter.InsertAsync(connection, rows);
        return rows;
    }

    private Task<long> CountListedAsync() => TestSystem.Database.CountAsync("slow_destinations");

    // Each claim of a trial sets the time of the next.
    private async Task<List<(DateTime At, DateTime Next)>> TrialsAsync() =>
        [
            .. (
                await TestSystem.Database.RowsAsync(
                    """
                    select min(at), trial_at from slow_destinations_history
                    where exchange = $1 group by trial_at order by 1
                    """,
                    Exchange
                )
            ).Select(r => ((DateTime)r[0]!, (DateTime)r[1]!)),
        ];

    private Task LimitAsync(string queue, int most) =>
        TestSystem.Broker.Management.PutPolicyAsync(
            TestSystem.Broker.Options.VirtualHost,
            "full",
            $"^{queue}$",
            "quorum_queues",
            new Dictionary<string, object> { ["max-length"] = most, ["overflow"] = "reject-publish" },
            CancellationToken.None
        );

    // A quorum queue takes a few more than its limit before it begins to refuse.
    private async Task<bool> IsRefusedAsync(string queue)
    {
        try
        {
            await TestSystem.Broker.PublishBytesAsync("", new byte[1], new ByHand { RoutingKey = queue });
            return false;
        }
        catch (RabbitMQ.Client.Exceptions.PublishException)
        {
            return true;
        }
    }
}
