using System.Diagnostics;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Orders.Infrastructure.Tests.Steps;
using Orders.Testing;
using Orders.Testing.Servers;
using Orders.Testing.Zoo;
using QueueWorkers.DeadLetters;
using QueueWorkers.Hosting;
using QueueWorkers.Retention;
using QueueWorkers.Scheduling;
using QueueWorkers.Steps;

namespace Orders.Infrastructure.Tests.Retention;

/// <summary>What is old goes, what is young stays, and nothing happens twice because of it.</summary>
public sealed class PurgeTests() : ZooFixture("hurried")
{
    private static readonly RetentionRule[] Rules = [.. RetentionRules.Framework, .. OrderRetention.Rules];

    [Test]
    public async Task Each_rule_purges_what_is_older_than_it_keeps_and_nothing_else()
    {
        await TestSystem.Database.ExecuteAsync(
            """
            insert into idempotency (message_id, step, at) select gen_random_uuid(), 'x', now() - age
                from (values (interval '31 days'), (interval '29 days')) as t(age);
            insert into posted_keys (client_id, key, body_hash, order_id, at)
                select 'tests', gen_random_uuid()::text, '', gen_random_uuid(), now() - age
                from (values (interval '31 days'), (interval '29 days')) as t(age);
            insert into webhook_deliveries (id, webhook_id, event, at)
                select gen_random_uuid(), gen_random_uuid(), 'x', now() - age
                from (values (interval '91 days'), (interval '89 days')) as t(age);
            insert into schedule_runs (schedule, due_at, status, attempts, finished_at)
                select 'x', now() - age, status, 1, now() - age
                    from (values (interval '15 days', 2), (interval '15 days 1 minute', 1),
                    (interval '13 days', 3)) as t(age, status);
            insert into duplicates (at, subject_id, step, effect, cause)
                select now() - age, gen_random_uuid(), 'x', 'x', 1
                from (values (interval '31 days'), (interval '29 days')) as t(age);
            insert into duplicate_counts (minute, step, cause, count) select now() - age, 'x', 1, 1
                from (values (interval '91 days'), (interval '89 days')) as t(age);
            insert into completeness_gaps (subject_id, effect, kind, detail, silent, closed_at)
                select gen_random_uuid(), 'x', 1, '', false, now() - age
                    from (values (interval '91 days'), (interval '89 days'), (null)) as t(age);
            insert into step_reports (subject_id, step, message_id, attempt, log, at)
                select gen_random_uuid(), 'x', gen_random_uuid(), 1, '{}', now() - age
                from (values (interval '31 days'), (interval '29 days')) as t(age);
            insert into cancelled_subjects (subject_id, at) select gen_random_uuid(), now() - age
                from (values (interval '25 hours'), (interval '23 hours')) as t(age);
            insert into suspects (message_id, step, deaths, running, host, at)
                select gen_random_uuid(), 'x', 1, true, 'x', now() - age
                from (values (interval '8 days'), (interval '6 days')) as t(age);
            insert into step_attempts (subject_id, step, started_at, ended_at, attempt, fault, host)
                select gen_random_uuid(), 'x', now() - age, now() - age, 1, '', 'x'
                from (values (interval '31 days'), (interval '29 days')) as t(age);
            insert into alerts (rule, subject, says, link, since, fired_at, resolved_at)
                select 'x', n::text, '', '', now() - age, now() - age, case when n < 3 then now() - age end
                    from (values (1, interval '91 days'), (2, interval '89 days'), (3, interval '91 days')) as t(n,
                    age);
            insert into workers (id, host, process_id, version, steps, running, started_at, last_seen_at)
                values (gen_random_uuid(), 'x', 1, '2.0', '{x}', 0, now(), now());
            insert into step_builds (step, build, first_seen_at) select 'x', build, now() - age
                from (values ('1.0', interval '91 days'), ('2.0', interval '91 days'),
                ('3.0', interval '89 days')) as t(build, age);
            insert into redrives (id, stage, created_by, reason, filter, canary, rate_per_second, stop_percent, total,
                finished_at)
                select uuidv7(- age), case when finished then 4 else 3 end, 'x', 'x', '{}', 10, 50, 20, 1,
                    case when finished then now() - age end from (values (interval '181 days', true),
                    (interval '179 days', true), (interval '182 days', false)) as t(age, finished);
            insert into redrive_items (redrive_id, failure_id, state, settled_at)
                select id, gen_random_uuid(), 3, coalesce(finished_at, now() - interval '182 days') from redrives;
            insert into bulk_actions (id, kind, filter, per_second, state, total, done, skipped, refused, rehearsal,
                created_by, finished_at)
                select uuidv7(- age), 'x', '{}', 1, case when finished then 4 else 2 end, 2, 1, 0, 0, '{}', 'x',
                    case when finished then now() - age end from (values (interval '181 days', true),
                    (interval '179 days', true), (interval '182 days', false)) as t(age, finished);
            insert into bulk_items (bulk_action_id, target_id, state, settled_at)
                select id, gen_random_uuid(), 2, coalesce(finished_at, now() - interval '182 days') from bulk_actions;
            """
        );
        var result = await PurgeAsync(new RetentionOptions { Rules = Rules });

        Assert.That(
            result,
            Does.Match(
                "^Purged 1 of idempotency, 1 of schedule_runs, 1 of duplicates, 1 of duplicate_counts, 1 of completeness_gaps, 1 of step_reports, 1 of cancelled_subjects, 1 of suspects, 1 of step_attempts, 1 of alerts, 1 of step_builds, 1 of redrives, 1 of redrive_items, 1 of bulk_actions, 1 of bulk_items, 1 of posted_keys, 1 of webhook_deliveries in "
            )
        );
        Assert.That(
            await TestSystem.Database.CountAsync("schedule_runs"),
            Is.EqualTo(2),
            "the young one, and the one that is not finished"
        );
        Assert.That(
            await TestSystem.Database.CountAsync("completeness_gaps"),
            Is.EqualTo(2),
            "the young one, and the open one"
        );
        Assert.That(
            await TestSystem.Database.CountAsync("step_builds where build in ('2.0', '3.0')"),
            Is.EqualTo(2),
            "the one that still runs, and the young one"
        );
        Assert.That(
            await TestSystem.Database.CountAsync("alerts where resolved_at is null"),
            Is.EqualTo(1),
            "the open one"
        );
        Assert.That(
            await TestSystem.Database.CountAsync("redrives r join redrive_items i on i.redrive_id = r.id"),
            Is.EqualTo(2),
            "the young one, and the one that is not finished, with all their messages"
        );
        Assert.That(
            await TestSystem.Database.CountAsync("bulk_actions a join bulk_items i on i.bulk_action_id = a.id"),
            Is.EqualTo(2),
            "the young one, and the one that goes on, with all their targets"
        );
        Assert.That(await PurgeAsync(new RetentionOptions { Rules = Rules }), Is.EqualTo("Nothing was old enough."));
    }

    [Test]
    public async Task Failures_go_when_they_have_come_to_an_end_long_ago_and_never_while_they_are_dead_lettered_or_in_a_queue()
    {
        await TestSystem.Database.ExecuteAsync(
            $$"""
            insert into failures (id, state, kind, queue, identity, generation, copies, message_id, fault_type,
                fault_message, fingerprint, attempts, first_at, last_at, body, content_type, headers, note, closed_at,
                removed_at, restorable_until)
            select uuidv7(), state, 1, queue, md5(note)::uuid, 0, 1, gen_random_uuid(), 'x', 'x', 'x', 1, now() - age,
                now() - age, '', '', '{}', note,
                case when state <> {{FailureState.Failed:D}} then now() - age end, case when removed then now() - age end,
                    case when state = {{FailureState.Archived:D}} then now() - restorable end
            from (values
                ('done', {{FailureState.Redriven:D}}, 'x_error', interval '91 days', true, null),
                    ('failed again', {{FailureState.FailedAgain:D}}, 'x_error', interval '91 days', true, null),
                    ('gone', {{FailureState.Gone:D}}, 'x_error', interval '91 days', true, null),
                ('archived for good', {{FailureState.Archived:D}}, 'x_error', interval '91 days', true, interval '1 day'),
                    ('archived from the outbox', {{FailureState.Archived:D}}, 'outbox', interval '91 days', false, interval '1 day'),
                ('kept: dead-lettered', {{FailureState.Failed:D}}, 'x_error', interval '400 days', false, null),
                    ('kept: young', {{FailureState.Redriven:D}}, 'x_error', interval '89 days', true, null),
                    ('kept: in its queue', {{FailureState.Redriven:D}}, 'x_error', interval '91 days', false, null),
                ('kept: restorable', {{FailureState.Archived:D}}, 'x_error', interval '91 days', true, interval '-1 day'),
                    ('kept: restorable in the outbox', {{FailureState.Archived:D}}, 'outbox', interval '91 days', false, interval '-1 day'),
                    ('kept: sent', {{FailureState.Redriving:D}}, 'x_error', interval '91 days', true, null))
                as t(note, state, queue, age, removed, restorable);
            insert into outbox (id, message_id, exchange, routing_key, content_type, headers, body, mandatory, attempts,
                due_at, dead_at)
            select md5(note)::uuid, gen_random_uuid(), 'x', '', '', '{}', '', true, 10, now(),
                now() - interval '91 days'
            from (values ('archived from the outbox'), ('kept: restorable in the outbox'),
                ('kept: quarantined and not archived')) as t(note);
            """
        );
        await PurgeAsync(new RetentionOptions { Rules = Rules });

        Assert.That(
            (await TestSystem.Database.RowsAsync("select note from failures where note not like 'kept: %'")).Select(r =>
                r[0]
            ),
            Is.Empty,
            "failures that should be gone"
        );
        Assert.That(await TestSystem.Database.CountAsync("failures"), Is.EqualTo(6), "failures");
        Assert.That(
            await TestSystem.Database.CountAsync("outbox where dead_at is not null"),
            Is.EqualTo(2),
            "quarantined rows"
        );
    }

    [Test]
    public async Task A_duplicate_after_its_idempotency_row_was_purged_has_no_second_effect()
    {
        var subject = Guid.NewGuid();
        var message = new ByHand();
        await DeliverAsync("hurried", new Feed(subject), message);
        await TestSystem.UntilAsync(subject, "hurried", StepStatus.Done);
        await TestSystem.Database.ExecuteAsync(
            "update idempotency set at = now() - interval '31 days' where message_id = $1",
            message.Id!.Value
        );
        await PurgeAsync(new RetentionOptions { Rules = Rules });
        Assert.That(
            await TestSystem.Database.CountAsync("idempotency where message_id = $1", message.Id.Value),
            Is.Zero
        );

        await DeliverAsync("hurried", new Feed(subject), message);
        await Eventually.That(() => Script.RunsOf(subject), Is.EqualTo(2), "runs");
        await Eventually.That(
            () => TestSystem.Database.CountAsync("duplicates where subject_id = $1", subject),
            Is.EqualTo(1),
            "evidence of the duplicate"
        );
        Assert.That(await TestSystem.EffectsAsync(subject), Is.EqualTo(1), "effects");
        Assert.That(
            await TestSystem.AttemptsAsync(subject, "hurried"),
            Is.EqualTo(1),
            "the dropped run left no trace in the step"
        );
    }

    [Test]
    public async Task A_large_table_is_purged_in_batches_within_the_time_limit_and_goes_on_next_time()
    {
        await TestSystem.Database.ExecuteAsync(
            "insert into idempotency (message_id, step, at) select gen_random_uuid(), 'bulk', now() - interval '40 days' + n * interval '1 second' from generate_series(1, 50000) n"
        );
        var watch = Stopwatch.StartNew();
        var result = await PurgeAsync(new RetentionOptions { Rules = Rules, TimeLimit = TimeSpan.FromMinutes(1) });
        TestContext.Out.WriteLine($"{result} ({watch.Elapsed.TotalSeconds:0.0} s)");
        Assert.That(await TestSystem.Database.CountAsync("idempotency where step = 'bulk'"), Is.Zero);

        await TestSystem.Database.ExecuteAsync(
            "insert into idempotency (message_id, step, at) select gen_random_uuid(), 'bulk', now() - interval '40 days' from generate_series(1, 50000) n"
        );
        await PurgeAsync(new RetentionOptions { Rules = Rules, TimeLimit = TimeSpan.FromMilliseconds(1) });
        Assert.That(
            await TestSystem.Database.CountAsync("idempotency where step = 'bulk'"),
            Is.EqualTo(49000),
            "one batch, and the time was up"
        );
        await PurgeAsync(new RetentionOptions { Rules = Rules, TimeLimit = TimeSpan.FromMinutes(1) });
        Assert.That(await TestSystem.Database.CountAsync("idempotency where step = 'bulk'"), Is.Zero);
    }

    [Test]
    public void Settings_are_checked_all_at_once()
    {
        var settings = new Dictionary<string, string?>
        {
            ["Retention:Idempotency"] = "01:00:00",
            ["Retention:Idempotence"] = "30.00:00:00",
            ["Retention:BatchSize"] = "1",
            ["Retention:TimeLimit"] = "soon",
        };
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(settings).Build();
        var problems = Assert.Throws<InvalidConfigurationException>(() => RetentionOptions.Read(configuration, Rules));
        Assert.That(
            problems.Message,
            Does.Contain("4 problem(s)")
                .And.Contain("Retention:Idempotence is not a setting")
                .And.Contain("set Retention__Idempotency")
                .And.Contain("set Retention__BatchSize")
                .And.Contain("set Retention__TimeLimit")
        );
    }

    private async Task<string> PurgeAsync(RetentionOptions options)
    {
        await using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        var metrics = new RetentionMetrics(services.GetRequiredService<System.Diagnostics.Metrics.IMeterFactory>());
        return await new PurgeJob(TestSystem.Database.Source, options, metrics, NullLogger<PurgeJob>.Instance).RunAsync(
            new Firing("purge", DateTimeOffset.UtcNow),
            CancellationToken.None
        );
    }
}
