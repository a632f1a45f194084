using System.Text.Json;
using System.Text.Json.Nodes;
using Orders.Testing;
using Orders.Testing.Servers;
using Orders.Testing.Zoo;
using QueueWorkers.FlowControl.CircuitBreakers;
using QueueWorkers.Monitoring;
using QueueWorkers.Outbox;
using QueueWorkers.Outbox.Relaying;
using QueueWorkers.Steps;

namespace Orders.Infrastructure.Tests.FlowControl;

/// <summary>
/// A backlog of retries is worked off as fast as the dependency answers, and does not circulate between outbox and
/// queue meanwhile.
/// </summary>
public sealed class RetryBacklogTests : WithReplicas
{
    private static readonly Dependency Post = new("post", typeof(PostIsDownException)) { MinimumCalls = int.MaxValue };

    [SetUp]
    public Task CountInserts() =>
        TestSystem.Database.ExecuteAsync(
            """
            create table if not exists outbox_inserts (rows bigint);
            truncate outbox_inserts;
            create or replace function count_inserts() returns trigger language plpgsql security definer as
                'begin insert into outbox_inserts select count(*) from added; return null; end';
            create or replace trigger counted after insert on outbox referencing new table as added
                for each statement execute function count_inserts()
            """
        );

    [Test]
    public async Task Three_hundred_retries_are_drained_without_any_new_message()
    {
        var failing = 6;
        await StartAsync(
            1,
            "hurried",
            (_, _) => Interlocked.Decrement(ref failing) >= 0 ? throw new PostIsDownException() : Task.CompletedTask,
            OnPost
        );
        await DeliverRetriesAsync("hurried", 300);
        // One retry a second is what a stuck backlog gets: 300 s.
        await UntilDoneAsync("hurried", 300, TimeSpan.FromSeconds(60));
        Assert.That(await TestSystem.Broker.CountAsync("hurried_error"), Is.Zero, "dead-lettered messages");
        Assert.That(Begun, Has.Count.EqualTo(306), "runs: the six that failed twice, the others once");
    }

    /// <summary>
    /// Scaled down: 1,000 retries at 200 a second; with <c>ORDERS_SHOW=full</c> 5,000 at 50 a second.
    /// </summary>
    [Test]
    public async Task A_slow_dependency_gets_its_backlog_at_its_pace_and_hardly_any_message_is_deferred()
    {
        var full = Environment.GetEnvironmentVariable("ORDERS_SHOW") == "full";
        var (count, perSecond) = full ? (5000, 50) : (1000, 200);
        using var counter = new SemaphoreSlim(1);
        await StartAsync(2, "hurried", CallAsync, OnPost);
        await DeliverRetriesAsync("hurried", count);
        // Three times as long as the calls take; a busy machine needs more for each of a small number.
        await UntilDoneAsync("hurried", count, TimeSpan.FromSeconds(Math.Max(60, 3.0 * count / perSecond)));
        var inserts = await InsertsAsync();
        await TestContext.Progress.WriteLineAsync(
            $"{count} retries at {perSecond}/s: {inserts} rows inserted into the outbox"
        );
        Assert.That(inserts, Is.LessThan(2 * count), "rows inserted into the outbox");
        Assert.That(Begun, Has.Count.EqualTo(count), "runs");

        // One customer after the other.
        async Task CallAsync(Guid subject, CancellationToken cancellationToken)
        {
            await counter.WaitAsync(cancellationToken);
            try
            {
                await Task.Delay(TimeSpan.FromSeconds(1.0 / perSecond), cancellationToken);
            }
            finally
            {
                counter.Release();
            }
        }
    }

    [Test]
    public async Task Retries_that_find_no_room_come_again_one_after_the_other_and_ever_more_rarely()
    {
        var (failing, release) = (6, new TaskCompletionSource());
        await TestSystem.Database.KeepHistoryAsync(
            "outbox",
            "new.message_id, new.due_at, new.headers::jsonb ->> 'Deferred-By' as cause, (new.headers::jsonb ->> 'Deferred-Count')::int as number"
        );
        await StartAsync(1, "hurried", CallAsync, OnPost);
        await DeliverRetriesAsync("hurried", 40);
        await Eventually.That(
            () =>
                TestSystem.Database.CountAsync(
                    "outbox where headers::jsonb ->> 'Deferred-By' = 'retry-budget' and (headers::jsonb ->> 'Deferred-Count')::int > 1"
                ),
            Is.GreaterThan(5L),
            "messages that were deferred more than once"
        );

        // Each deferral at least doubles the wait, less a quarter of jitter; and no two have the same moment. From one due
        // time to the next, which is no shorter than the wait, whatever a busy machine does in between.
        const string tooSoon = """
            (select message_id, number, min(due_at) as due from outbox_history where cause = 'retry-budget'
                group by message_id, number) later
            join (select message_id, number, min(due_at) as due from outbox_history where cause = 'retry-budget'
                group by message_id, number) earlier using (message_id)
            where earlier.number = later.number - 1
                and later.due - earlier.due < interval '0.7 seconds' * power(2, least(later.number, 5) - 1)
            """;
        Assert.That(await TestSystem.Database.CountAsync(tooSoon), Is.Zero, "messages that come again too soon");
        Assert.That(
            await TestSystem.Database.CountAsync("rate_buckets where name = 'retries of post'"),
            Is.EqualTo(1L),
            "the schedule of all replicas"
        );

        using var feed = new RelayFeed();
        var waiting = (await new WaitingReader(TestSystem.Database.Source, feed).ReadAsync(CancellationToken.None))
            .Where(d => d.Cause == "retry-budget")
            .ToArray();
        Assert.That(
            waiting,
            Has.One.Matches<WaitingMessages>(d => d is { Step: "hurried", Count: > 0, Since: not null }),
            "what the overview shows"
        );

        release.SetResult();
        await UntilDoneAsync("hurried", 40, TimeSpan.FromSeconds(60));
        Assert.That(
            await TestSystem.Database.CountAsync("step_runs where attempts > 3"),
            Is.Zero,
            "attempts used up by waiting"
        );

        async Task CallAsync(Guid subject, CancellationToken cancellationToken)
        {
            if (Interlocked.Decrement(ref failing) >= 0)
                throw new PostIsDownException();
            await release.Task.WaitAsync(cancellationToken);
        }
    }

    [Test]
    public async Task While_one_step_makes_the_trial_the_queue_of_another_on_the_same_dependency_stays_a_queue()
    {
        var release = new TaskCompletionSource();
        await StartAsync(1, "hurried,patient", (_, token) => release.Task.WaitAsync(token), OnPost);
        await Eventually.That(() => Breakers.ListAsync(), Is.Not.Empty, "the breaker");
        await TestSystem.Database.ExecuteAsync(
            $"update breakers set state = {BreakerState.Open:D}, trips = 1, opened_at = now(), retry_at = now() + interval '1 hour', reason = 'the test says so'"
        );
        await Eventually.Is(
            () => GateOf(Replicas[0], "hurried").Limit == 0 && GateOf(Replicas[0], "patient").Limit == 0,
            "the gates are closed"
        );
        await TestSystem.Database.ExecuteAsync("update breakers set retry_at = now()");
        await DeliverAsync("hurried", 1);
        await Eventually.That(() => Begun.Count, Is.EqualTo(1), "the trial");
        // Few: the trial is somebody else's when it lasts for too long.
        await DeliverAsync("patient", 10);
        await Eventually.That(
            () => TestSystem.Broker.CountAsync("patient"),
            Is.EqualTo(9u),
            "messages behind the one that waits for the outcome"
        );

        release.SetResult();
        await UntilDoneAsync("hurried", 1);
        await UntilDoneAsync("patient", 10);
        Assert.That(await InsertsAsync(), Is.Zero, "rows inserted into the outbox");
    }

    private static StepPolicy OnPost(StepPolicy policy) => policy with { DependsOn = Post };

    private Task<long> InsertsAsync() =>
        TestSystem.Database.ScalarAsync<long>("select coalesce(sum(rows), 0)::bigint from outbox_inserts");

    // As they come out of the outbox after their first attempt has failed.
    private async Task DeliverRetriesAsync(string step, int count)
    {
        for (var i = 0; i < count; i++)
        {
            var id = Guid.NewGuid();
            var envelope = JsonNode.Parse(
                Envelope.Write(new Feed(Guid.NewGuid()), id, null, id, null, DateTimeOffset.UtcNow)
            )!;
            envelope["headers"] = new JsonObject { ["MT-Redelivery-Count"] = 1 };
            await TestSystem.Broker.PublishBytesAsync(
                step,
                JsonSerializer.SerializeToUtf8Bytes(envelope),
                new ByHand { Id = id }
            );
        }
    }

    private sealed class PostIsDownException() : Exception("Nobody answers at the post office.");
}
