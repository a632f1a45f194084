using System.Diagnostics;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Orders.Infrastructure.Hosting;
using Orders.Infrastructure.Orders;
using Orders.Infrastructure.Retention;
using Orders.Infrastructure.Scheduling;
using Orders.Infrastructure.Steps;
using Orders.Infrastructure.Tests.Steps;
using Orders.Testing;
using Orders.Testing.Servers;
using Orders.Testing.Zoo;

namespace Orders.Infrastructure.Tests.Retention;

/// <summary>What is old goes, what is young stays, and nothing happens twice because of it.</summary>
public sealed class PurgeTests() : InAZoo("hurried")
{
    private static readonly RetentionRule[] Rules = [.. RetentionRules.Framework, .. OrderRetention.Rules];

    [Test]
    public async Task Each_rule_purges_what_is_older_than_it_keeps_and_nothing_else()
    {
        await System.Database.ExecuteAsync("""
            insert into idempotency (message_id, step, at) select gen_random_uuid(), 'x', now() - age from (values (interval '31 days'), (interval '29 days')) as t(age);
            insert into posted_keys (client_id, key, body_hash, order_id, at) select 'tests', gen_random_uuid()::text, '', gen_random_uuid(), now() - age from (values (interval '31 days'), (interval '29 days')) as t(age);
            insert into schedule_runs (schedule, due_at, status, attempts, finished_at)
                select 'x', now() - age, status, 1, now() - age from (values (interval '15 days', 2), (interval '15 days 1 minute', 1), (interval '13 days', 3)) as t(age, status);
            insert into duplicates (at, subject_id, step, effect, cause) select now() - age, gen_random_uuid(), 'x', 'x', 1 from (values (interval '31 days'), (interval '29 days')) as t(age);
            insert into duplicate_counts (minute, step, cause, count) select now() - age, 'x', 1, 1 from (values (interval '91 days'), (interval '89 days')) as t(age);
            insert into completeness_gaps (subject_id, effect, kind, detail, silent, closed_at)
                select gen_random_uuid(), 'x', 1, '', false, now() - age from (values (interval '91 days'), (interval '89 days'), (null)) as t(age);
            insert into step_reports (subject_id, step, message_id, attempt, log, at) select gen_random_uuid(), 'x', gen_random_uuid(), 1, '{}', now() - age from (values (interval '31 days'), (interval '29 days')) as t(age);
            insert into cancelled_subjects (subject_id, at) select gen_random_uuid(), now() - age from (values (interval '25 hours'), (interval '23 hours')) as t(age);
            insert into suspects (message_id, step, deaths, running, host, at) select gen_random_uuid(), 'x', 1, true, 'x', now() - age from (values (interval '8 days'), (interval '6 days')) as t(age);
            """);
        var result = await PurgeAsync(new RetentionOptions { Rules = Rules });

        Assert.That(result, Does.Match("^Purged 1 of idempotency, 1 of schedule_runs, 1 of duplicates, 1 of duplicate_counts, 1 of completeness_gaps, 1 of step_reports, 1 of cancelled_subjects, 1 of suspects, 1 of posted_keys in "));
        Assert.That(await System.Database.CountAsync("schedule_runs"), Is.EqualTo(2), "the young one, and the one that is not finished");
        Assert.That(await System.Database.CountAsync("completeness_gaps"), Is.EqualTo(2), "the young one, and the open one");
        Assert.That(await PurgeAsync(new RetentionOptions { Rules = Rules }), Is.EqualTo("Nothing was old enough."));
    }

    [Test]
    public async Task A_duplicate_after_its_idempotency_row_was_purged_has_no_second_effect()
    {
        var subject = Guid.NewGuid();
        var message = new ByHand();
        await DeliverAsync("hurried", new Feed(subject), message);
        await System.UntilAsync(subject, "hurried", StepStatus.Done);
        await System.Database.ExecuteAsync("update idempotency set at = now() - interval '31 days' where message_id = $1", message.Id!.Value);
        await PurgeAsync(new RetentionOptions { Rules = Rules });
        Assert.That(await System.Database.CountAsync("idempotency where message_id = $1", message.Id.Value), Is.Zero);

        await DeliverAsync("hurried", new Feed(subject), message);
        await Eventually.That(() => Script.RunsOf(subject), Is.EqualTo(2), "runs");
        await Eventually.That(() => System.Database.CountAsync("duplicates where subject_id = $1", subject), Is.EqualTo(1), "evidence of the duplicate");
        Assert.That(await System.EffectsAsync(subject), Is.EqualTo(1), "effects");
        Assert.That(await System.AttemptsAsync(subject, "hurried"), Is.EqualTo(1), "the dropped run left no trace in the step");
    }

    [Test]
    public async Task A_large_table_is_purged_in_batches_within_the_time_limit_and_goes_on_next_time()
    {
        await System.Database.ExecuteAsync("insert into idempotency (message_id, step, at) select gen_random_uuid(), 'bulk', now() - interval '40 days' + n * interval '1 second' from generate_series(1, 50000) n");
        var watch = Stopwatch.StartNew();
        var result = await PurgeAsync(new RetentionOptions { Rules = Rules, TimeLimit = TimeSpan.FromMinutes(1) });
        TestContext.Out.WriteLine($"{result} ({watch.Elapsed.TotalSeconds:0.0} s)");
        Assert.That(await System.Database.CountAsync("idempotency where step = 'bulk'"), Is.Zero);

        await System.Database.ExecuteAsync("insert into idempotency (message_id, step, at) select gen_random_uuid(), 'bulk', now() - interval '40 days' from generate_series(1, 50000) n");
        await PurgeAsync(new RetentionOptions { Rules = Rules, TimeLimit = TimeSpan.FromMilliseconds(1) });
        Assert.That(await System.Database.CountAsync("idempotency where step = 'bulk'"), Is.EqualTo(49000), "one batch, and the time was up");
        await PurgeAsync(new RetentionOptions { Rules = Rules, TimeLimit = TimeSpan.FromMinutes(1) });
        Assert.That(await System.Database.CountAsync("idempotency where step = 'bulk'"), Is.Zero);
    }

    [Test]
    public void Settings_are_checked_all_at_once()
    {
        var settings = new Dictionary<string, string?> { ["Retention:Idempotency"] = "01:00:00", ["Retention:Idempotence"] = "30.00:00:00", ["Retention:BatchSize"] = "1", ["Retention:TimeLimit"] = "soon" };
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(settings).Build();
        var problems = Assert.Throws<InvalidConfigurationException>(() => RetentionOptions.Read(configuration, Rules));
        Assert.That(problems.Message, Does.Contain("4 problem(s)").And.Contain("Retention:Idempotence is not a setting").And.Contain("set Retention__Idempotency").And.Contain("set Retention__BatchSize").And.Contain("set Retention__TimeLimit"));
    }

    private async Task<string> PurgeAsync(RetentionOptions options)
    {
        await using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        var metrics = new RetentionMetrics(services.GetRequiredService<global::System.Diagnostics.Metrics.IMeterFactory>());
        return await new PurgeJob(System.Database.Source, options, metrics, NullLogger<PurgeJob>.Instance).RunAsync(new Firing("purge", DateTimeOffset.UtcNow), CancellationToken.None);
    }
}
