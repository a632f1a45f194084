using System.Collections.Concurrent;
using Orders.Testing;
using Orders.Testing.Zoo;
using QueueWorkers.Operators;
using QueueWorkers.Scheduling;
using QueueWorkers.Scheduling.Firings;

namespace Orders.Infrastructure.Tests.Scheduling;

/// <summary>The life of schedules and their jobs, in one process and in several.</summary>
public sealed class ScheduleTests : SystemFixture
{
    private const string Job = "job";
    private const string Report = "report";

    private static readonly ConcurrentQueue<Firing> Runs = new();
    private static Func<Firing, CancellationToken, Task<string>> _work = (_, _) => Task.FromResult("Done.");

    private static readonly ScheduleCatalogue Schedules = new ScheduleCatalogue()
        .Run<TestJob>(Job, "0 0 1 1 *", Misfire.Once)
        .Publish(Report, "0 0 1 1 *", Misfire.Once, firing => new Tick(firing.Id, firing.DueAt));

    private static readonly AuditEntry By = new()
    {
        Who = "ada",
        Role = "Operator",
        Action = "test",
    };

    private ScheduleControl _control = null!;

    [OneTimeSetUp]
    public async Task DeploySchedules()
    {
        await new ScheduleDeployment(TestSystem.Database.Source, Schedules).DeployAsync(CancellationToken.None);
        _control = new ScheduleControl(TestSystem.Database.Source);
    }

    [SetUp]
    public async Task Reset()
    {
        Runs.Clear();
        _work = (_, _) => Task.FromResult("Done.");
        await TestSystem.Database.ExecuteAsync(
            "delete from schedule_runs; update schedules set paused = false, customised = false, last_status = null, last_due_at = null, next_due_at = now() + interval '1 day', time_zone = 'UTC'"
        );
    }

    [Test]
    public async Task Run_now_runs_the_job_and_keeps_what_it_said()
    {
        _work = (_, _) => Task.FromResult("Purged 3 of things.");
        await using var host = await StartAsync();
        var due = await _control.RunNowAsync(Job, By, CancellationToken.None);

        await UntilAsync(Job, FiringStatus.Done);
        var run = (await _control.RunsAsync(Job, null, 10, CancellationToken.None)).Single();
        Assert.That(
            run,
            Has.Property("DueAt")
                .EqualTo(due)
                .And.Property("RequestedBy")
                .EqualTo("ada")
                .And.Property("Result")
                .EqualTo("Purged 3 of things.")
                .And.Property("Duration")
                .GreaterThanOrEqualTo(TimeSpan.Zero)
        );
        var schedule = (await _control.ListAsync(CancellationToken.None)).Single(s => s.Name == Job);
        Assert.That(
            schedule.Last,
            Has.Property("Status").EqualTo(FiringStatus.Done).And.Property("Result").EqualTo("Purged 3 of things.")
        );
    }

    [Test]
    public async Task Three_processes_run_a_firing_once()
    {
        await using var one = await StartAsync();
        await using var two = await StartAsync();
        await using var three = await StartAsync();
        for (var i = 0; i < 5; i++)
            await _control.RunNowAsync(Job, By, CancellationToken.None);
        await Eventually.That(
            () => TestSystem.Database.CountAsync($"schedule_runs where status = {FiringStatus.Done:D}"),
            Is.EqualTo(5),
            "firings that are done"
        );
        Assert.That(Runs.Select(f => f.DueAt), Is.Unique.And.Exactly(5).Items);
    }

    [Test]
    public async Task A_job_never_runs_beside_itself()
    {
        var (inside, most) = (0, 0);
        _work = async (_, token) =>
        {
            most = Math.Max(most, Interlocked.Increment(ref inside));
            await Task.Delay(TimeSpan.FromMilliseconds(100), token);
            Interlocked.Decrement(ref inside);
            return "Done.";
        };
        for (var i = 0; i < 6; i++)
            await _control.RunNowAsync(Job, By, CancellationToken.None);
        await using var one = await StartAsync();
        await using var two = await StartAsync();
        await Eventually.That(
            () => TestSystem.Database.CountAsync($"schedule_runs where status = {FiringStatus.Done:D}"),
            Is.EqualTo(6),
            "firings that are done"
        );
        Assert.That(most, Is.EqualTo(1), "runs at a time");
    }

    [Test]
    public async Task A_job_that_throws_has_failed_and_says_why()
    {
        _work = (_, _) => throw new InvalidOperationException("The shelf is empty.");
        await using var host = await StartAsync();
        await _control.RunNowAsync(Job, By, CancellationToken.None);
        await UntilAsync(Job, FiringStatus.Failed);
        var run = (await _control.RunsAsync(Job, null, 10, CancellationToken.None)).Single();
        Assert.That(run.Result, Is.EqualTo("InvalidOperationException: The shelf is empty."));
        Assert.That(Runs, Has.Count.EqualTo(1), "a failed firing is not repeated");
    }

    [Test]
    public async Task A_job_of_a_dead_process_is_begun_again_by_another_one_and_given_up_in_the_end()
    {
        // What a process leaves that died in the middle.
        await DieAtAsync(attempts: 1);
        await using var host = await StartAsync();
        await UntilAsync(Job, FiringStatus.Done);
        Assert.That(Runs.Single().Attempt, Is.EqualTo(2));

        await DieAtAsync(attempts: 3);
        await Eventually.That(
            () => TestSystem.Database.CountAsync($"schedule_runs where status = {FiringStatus.Failed:D}"),
            Is.EqualTo(1),
            "firings that were given up"
        );
        Assert.That(Runs, Has.Count.EqualTo(1), "it was not begun a fourth time");
    }

    [Test]
    public async Task A_process_that_stops_gives_its_job_back()
    {
        var begun = new TaskCompletionSource();
        _work = async (_, token) =>
        {
            begun.TrySetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, token);
            return "Never.";
        };
        await using var first = await StartAsync();
        await _control.RunNowAsync(Job, By, CancellationToken.None);
        await begun.Task;
        await first.StopAsync();
        Assert.That(
            await TestSystem.Database.ScalarAsync<short>("select status from schedule_runs"),
            Is.EqualTo((short)FiringStatus.Waiting)
        );

        _work = (_, _) => Task.FromResult("Done.");
        await using var second = await StartAsync();
        await UntilAsync(Job, FiringStatus.Done);
        Assert.That(
            await TestSystem.Database.ScalarAsync<int>("select attempts from schedule_runs"),
            Is.EqualTo(1),
            "a stop uses up no attempt"
        );
    }

    [Test]
    public async Task A_message_is_committed_with_its_firing_and_has_the_firings_id()
    {
        var listener = await TestSystem.Broker.ListenAsync<Tick>();
        await using var host = await StartAsync();
        await TestSystem.Database.ExecuteAsync(
            "update schedules set next_due_at = date_trunc('second', now()) where name = $1",
            Report
        );
        await UntilArrivedAsync(listener, 1);
        var due = new DateTimeOffset(
            await TestSystem.Database.ScalarAsync<DateTime>(
                "select due_at from schedule_runs where schedule = $1",
                Report
            )
        );
        Assert.That(await ArrivedAsync(listener), Is.EqualTo([new Firing(Report, due).Id]));
    }

    [Test]
    public async Task A_paused_schedule_does_not_fire_and_does_not_make_up_for_it()
    {
        await using var host = await StartAsync();
        Assert.That(await _control.PauseAsync(Job, By, CancellationToken.None), Is.True);
        await TestSystem.Database.ExecuteAsync(
            "update schedules set next_due_at = now() - interval '1 hour' where name = $1",
            Job
        );
        // A firing of another schedule shows that the process has looked.
        await _control.RunNowAsync(Report, By, CancellationToken.None);
        await UntilAsync(Report, FiringStatus.Done);
        Assert.That(await TestSystem.Database.CountAsync("schedule_runs where schedule = $1", Job), Is.Zero);

        Assert.That(await _control.ResumeAsync(Job, By, CancellationToken.None), Is.True);
        var next = (await _control.ListAsync(CancellationToken.None)).Single(s => s.Name == Job).NextDueAt;
        Assert.That(next, Is.GreaterThan(DateTimeOffset.UtcNow));
        Assert.That(await _control.ResumeAsync(Job, By, CancellationToken.None), Is.False, "it is not paused any more");
    }

    [Test]
    public async Task A_zone_that_a_process_does_not_know_leaves_the_firing_to_another_process()
    {
        await TestSystem.Database.ExecuteAsync(
            "update schedules set time_zone = 'Mars/Olympus_Mons', next_due_at = date_trunc('second', now()) where name = $1",
            Job
        );
        var due = await NextDueAsync(Job);
        await using var ignorant = await StartAsync();
        // A firing of another schedule shows that the process has looked.
        await _control.RunNowAsync(Report, By, CancellationToken.None);
        await UntilAsync(Report, FiringStatus.Done);
        Assert.That(await NextDueAsync(Job), Is.EqualTo(due), "it is still due");
        Assert.That(await TestSystem.Database.CountAsync("schedule_runs where schedule = $1", Job), Is.Zero);

        // To the process that starts now the zone is known; the first one does not ask again within a minute.
        await TestSystem.Database.ExecuteAsync("update schedules set time_zone = 'UTC' where name = $1", Job);
        await using var knowing = await StartAsync();
        await UntilAsync(Job, FiringStatus.Done);
        Assert.That(Runs.Single().DueAt, Is.EqualTo(new DateTimeOffset(due)));
    }

    [TestCase("now() + interval '10 years'")]
    [TestCase("'infinity'")]
    [TestCase("null")]
    public async Task A_schedule_that_is_due_later_than_its_cron_text_says_is_moved_back(string later)
    {
        await TestSystem.Database.ExecuteAsync($"update schedules set next_due_at = {later}");
        await using var host = await StartAsync();
        await Eventually.That(
            () =>
                TestSystem.Database.CountAsync(
                    "schedules where next_due_at <= date_trunc('year', now() at time zone 'UTC') at time zone 'UTC' + interval '1 year'"
                ),
            Is.EqualTo(2),
            "schedules that are due at the turn of the year"
        );
        Assert.That(await TestSystem.Database.CountAsync("schedule_runs"), Is.Zero);
    }

    [Test]
    public async Task What_fired_before_the_clock_was_set_back_does_not_fire_again()
    {
        await TestSystem.Database.ExecuteAsync(
            "update schedules set next_due_at = date_trunc('second', now()) where name = $1",
            Job
        );
        var due = await NextDueAsync(Job);
        await TestSystem.Database.ExecuteAsync(
            $"insert into schedule_runs (schedule, due_at, status, attempts) values ($1, $2, {FiringStatus.Done:D}, 1)",
            Job,
            due
        );
        await using var host = await StartAsync();
        await Eventually.That(() => NextDueAsync(Job), Is.GreaterThan(due), "the next firing");
        Assert.That(Runs, Is.Empty);
        Assert.That(await TestSystem.Database.CountAsync("schedule_runs"), Is.EqualTo(1));
    }

    [Test]
    public void A_schedule_that_never_fires_is_refused_with_its_name() =>
        Assert.That(
            () => new ScheduleCatalogue().Run<TestJob>("never", "0 0 30 2 *", Misfire.Once),
            Throws
                .ArgumentException.With.Message.Contains("Schedule 'never'")
                .And.Message.Contains("got '0 0 30 2 *', whose day and month never come together")
        );

    [Test]
    public async Task What_an_operator_has_changed_outlives_a_deployment()
    {
        Assert.That(
            await _control.ChangeAsync(Job, "0 4 * * *", "Europe/Berlin", Misfire.Skip, By, CancellationToken.None),
            Is.True
        );
        await new ScheduleDeployment(TestSystem.Database.Source, Schedules).DeployAsync(CancellationToken.None);
        var schedule = (await _control.ListAsync(CancellationToken.None)).Single(s => s.Name == Job);
        Assert.That(
            schedule,
            Has.Property("Cron")
                .EqualTo("0 4 * * *")
                .And.Property("TimeZone")
                .EqualTo("Europe/Berlin")
                .And.Property("Misfire")
                .EqualTo(Misfire.Skip)
                .And.Property("Customised")
                .True
        );
    }

    [Test]
    public async Task What_has_left_the_catalogue_stops_firing_and_comes_back_with_it()
    {
        await new ScheduleDeployment(TestSystem.Database.Source, new ScheduleCatalogue()).DeployAsync(
            CancellationToken.None
        );
        Assert.That(await TestSystem.Database.CountAsync("schedules where active"), Is.Zero);
        Assert.That(await _control.RunNowAsync(Job, By, CancellationToken.None), Is.Null);
        await new ScheduleDeployment(TestSystem.Database.Source, Schedules).DeployAsync(CancellationToken.None);
        Assert.That(await TestSystem.Database.CountAsync("schedules where active"), Is.EqualTo(2));
    }

    private Task<RunningHost> StartAsync() =>
        TestSystem.StartAsync(
            "",
            services =>
                services.AddSchedules(
                    TestSystem.Configuration(("Schedules:PollInterval", "00:00:00.1"), ("Schedules:Lease", "00:00:10")),
                    Schedules
                )
        );

    private Task<DateTime> NextDueAsync(string schedule) =>
        TestSystem.Database.ScalarAsync<DateTime>("select next_due_at from schedules where name = $1", schedule);

    private Task<int> UntilAsync(string schedule, FiringStatus status) =>
        Eventually.That(
            () =>
                TestSystem.Database.ScalarAsync<int>(
                    "select coalesce((select last_status from schedules where name = $1), -1)",
                    schedule
                ),
            Is.EqualTo((int)status),
            $"status of '{schedule}'"
        );

    private Task<int> DieAtAsync(int attempts) =>
        TestSystem.Database.ExecuteAsync(
            "insert into schedule_runs (schedule, due_at, status, attempts, host, lease_until) values ($1, clock_timestamp(), 1, $2, 'dead', now() - interval '1 second')",
            Job,
            attempts
        );

    private sealed class TestJob : IScheduledJob
    {
        public Task<string> RunAsync(Firing firing, CancellationToken cancellationToken)
        {
            Runs.Enqueue(firing);
            return _work(firing, cancellationToken);
        }
    }
}
