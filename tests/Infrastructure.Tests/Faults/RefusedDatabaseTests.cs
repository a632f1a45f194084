using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Orders.Testing;
using Orders.Testing.Servers;
using Orders.Testing.Zoo;
using QueueWorkers.Clocks;
using QueueWorkers.Consuming.Watching;
using QueueWorkers.Hosting.Borders;
using QueueWorkers.Steps;

namespace Orders.Infrastructure.Tests.Faults;

/// <summary>
/// A database that answers, but refuses: the login (a rotated password), every connection, a right, a table or a plan.
/// None of it consumes an attempt.
/// </summary>
public sealed class RefusedDatabaseTests : SystemFixture
{
    private const int Messages = 30;
    private const int MostLines = 20;

    private static readonly string[] AllSteps = ["patient", "mother", "careful"];

    private TestRole _role = null!;
    private RunningHost _host = null!;
    private StepScript _script = null!;

    [SetUp]
    public async Task StartAsync()
    {
        _role = await TestSystem.Database.CreateRoleAsync();
        _script = new StepScript();
        _host = await TestSystem.StartAsync(
            [.. TestSystem.Catalogue.Choose(string.Join(',', AllSteps)).Select(_script.In)],
            // As every host has it.
            services => services.AddSingleton(new LogLimit(MostLines, DatabaseClock.Provider)),
            ("ConnectionStrings:Postgres", _role.ConnectionString)
        );
    }

    [TearDown]
    public async Task StopAsync()
    {
        await _host.DisposeAsync();
        await _role.DisposeAsync();
    }

    [Test]
    public Task A_rotated_password() => NothingIsLostAsync("28P01", _role.RotateAsync, _role.RotateBackAsync);

    [Test]
    public Task A_role_that_may_not_log_in() =>
        NothingIsLostAsync(
            "28000",
            async () =>
            {
                await TestSystem.Database.ExecuteAsync($"alter role {_role.Name} nologin");
                await _role.EndSessionsAsync();
            },
            () => TestSystem.Database.ExecuteAsync($"alter role {_role.Name} login")
        );

    [Test]
    public Task A_database_that_accepts_no_connections() =>
        NothingIsLostAsync(
            "55000",
            () => TestSystem.Database.AllowConnectionsAsync(false),
            () => TestSystem.Database.AllowConnectionsAsync(true)
        );

    [Test]
    public Task A_right_that_is_missing_during_a_deployment() =>
        NothingIsLostAsync(
            "42501",
            () => TestSystem.Database.ExecuteAsync($"revoke all on idempotency from {_role.Name}"),
            () => TestSystem.Database.ExecuteAsync($"grant all on idempotency to {_role.Name}")
        );

    [Test]
    public Task Rights_that_are_all_missing() =>
        NothingIsLostAsync(
            "42501",
            () => TestSystem.Database.ExecuteAsync($"revoke all on all tables in schema public from {_role.Name}"),
            () => TestSystem.Database.ExecuteAsync($"grant all on all tables in schema public to {_role.Name}")
        );

    [Test]
    public Task A_table_that_is_missing_during_a_deployment() =>
        NothingIsLostAsync(
            "42P01",
            () => TestSystem.Database.ExecuteAsync("alter table effects rename to effects_old"),
            () => TestSystem.Database.ExecuteAsync("alter table effects_old rename to effects")
        );

    [Test]
    public async Task A_plan_that_is_out_of_date()
    {
        // Warm: a statement is prepared at its second use on a connection, and the pool hands its connections out in turn.
        var warm = Enumerable.Range(0, 20).Select(_ => Guid.NewGuid()).ToArray();
        foreach (var subject in warm)
        {
            await DeliverAsync(subject);
            await DoneAsync([subject]);
        }

        await NothingIsLostAsync(
            "0A000",
            () =>
                TestSystem.Database.ExecuteAsync(
                    "alter table effects alter column step type varchar(200); alter table effects alter column effect type varchar(200)"
                ),
            () => Task.CompletedTask
        );
    }

    [Test]
    public async Task A_process_that_cannot_log_in_says_so_at_a_bounded_rate()
    {
        using var faults = new DatabaseFaults();
        var before = _host.Log.Lines.Count;
        var watch = Stopwatch.StartNew();
        await _role.RotateAsync();
        foreach (var subject in Enumerable.Range(0, 200).Select(_ => Guid.NewGuid()))
            await DeliverAsync(subject);
        await Eventually.That(
            () => faults.Of("28P01"),
            Is.GreaterThan(300),
            "refused logins",
            TimeSpan.FromSeconds(60)
        );

        await Eventually.That(
            () =>
                _host.Log.Lines.Skip(before).Count(l => l.Line.Contains("refuses the login", StringComparison.Ordinal)),
            Is.GreaterThan(0),
            "log lines that say so"
        );
        var lines = _host.Log.Lines.Skip(before).ToArray();
        // A line is counted when it is let through and stands here when its thread has gone on: the bound of each second
        // is for LogLimitTests, this is the sum.
        Assert.That(
            lines,
            Has.Length.LessThanOrEqualTo(MostLines * ((int)watch.Elapsed.TotalSeconds + 1)),
            $"lines in {watch.Elapsed}"
        );
        await _role.RotateBackAsync();
    }

    private async Task NothingIsLostAsync(string state, Func<Task> refuse, Func<Task> repair)
    {
        var subjects = Enumerable.Range(0, Messages).Select(_ => Guid.NewGuid()).ToArray();
        using var faults = new DatabaseFaults();
        await refuse();
        foreach (var subject in subjects)
            await DeliverAsync(subject);
        await Eventually.That(() => faults.Of(state), Is.GreaterThan(0), $"faults {state}", TimeSpan.FromSeconds(30));
        await repair();

        await DoneAsync(subjects);
        Assert.That(
            await TestSystem.Database.CountAsync("step_runs where subject_id = any($1) and attempts <> 1", subjects),
            Is.Zero,
            "steps that needed another attempt"
        );
        Assert.That(
            await TestSystem.Database.CountAsync("effects where subject_id = any($1)", subjects),
            Is.EqualTo(AllSteps.Length * Messages)
        );
        foreach (var step in AllSteps)
            Assert.That(
                await TestSystem.Broker.CountAsync($"{step}_error"),
                Is.Zero,
                $"dead-lettered messages of {step}"
            );
    }

    private async Task DeliverAsync(Guid subject)
    {
        foreach (var step in AllSteps)
            await TestSystem.Broker.PublishToAsync(step, new Feed(subject));
    }

    private Task<long> DoneAsync(Guid[] subjects) =>
        TestSystem.EventuallyFastForwardingAsync(
            () =>
                TestSystem.Database.CountAsync(
                    "step_runs where subject_id = any($1) and status = $2",
                    subjects,
                    (short)StepStatus.Done
                ),
            Is.EqualTo(AllSteps.Length * subjects.Length),
            "steps that are done",
            TimeSpan.FromSeconds(60)
        );
}

/// <summary>
/// A statement of a step's own that the database refuses: it may be a deployment, and it may be wrong.
/// </summary>
public sealed class RefusedStatementTests() : Steps.ZooFixture("hurried")
{
    protected override void Configure(IServiceCollection services) =>
        services.AddSingleton(new RefusedSince(TimeSpan.FromSeconds(3)));

    [Test]
    public async Task It_waits_visibly_without_an_attempt_and_is_dead_lettered_when_that_lasts()
    {
        var subject = Guid.NewGuid();
        Script.For(
            subject,
            async (_, _) =>
            {
                await using var command = Host
                    .Services.GetRequiredService<NpgsqlDataSource>()
                    .CreateCommand("select from a_table_that_nobody_made");
                await command.ExecuteNonQueryAsync();
            }
        );
        await TestSystem.Database.KeepHistoryAsync(
            "step_runs",
            "new.subject_id, new.status, new.attempts, new.last_fault"
        );
        await DeliverAsync("hurried", new Feed(subject));
        await Eventually.That(
            () => TestSystem.AttemptsAsync(subject, "hurried"),
            Is.GreaterThan(0),
            "attempts after the wait",
            TimeSpan.FromSeconds(30)
        );
        Assert.That(
            await TestSystem.Database.CountAsync(
                $"""
                step_runs_history where subject_id = $1 and status = {StepStatus.Retrying:D} and attempts = 0
                    and last_fault like '%a_table_that_nobody_made%' and last_fault like '%do not fit this version%'
                """,
                subject
            ),
            Is.Positive,
            "how it waited, before an attempt was counted"
        );
        await TestSystem.Database.ExecuteAsync("create table a_table_that_nobody_made ()");
        await TestSystem.EventuallyFastForwardingAsync(
            () => TestSystem.StatusAsync(subject, "hurried"),
            Is.EqualTo(StepStatus.Done),
            "status once the table is there"
        );

        var hopeless = Guid.NewGuid();
        Script.For(
            hopeless,
            async (_, _) =>
            {
                await using var command = Host
                    .Services.GetRequiredService<NpgsqlDataSource>()
                    .CreateCommand("select from another_table_that_nobody_made");
                await command.ExecuteNonQueryAsync();
            }
        );
        await DeliverAsync("hurried", new Feed(hopeless));
        await TestSystem.EventuallyFastForwardingAsync(
            () => TestSystem.StatusAsync(hopeless, "hurried"),
            Is.EqualTo(StepStatus.Failed),
            "status in the end",
            TimeSpan.FromSeconds(90)
        );
        Assert.That(
            await TestSystem.AttemptsAsync(hopeless, "hurried"),
            Is.EqualTo(new StepPolicy("hurried").PlannedAttempts),
            "attempts"
        );
    }
}
