using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Orders.Infrastructure.Poison;
using Orders.Infrastructure.Steps;
using Orders.Testing.Zoo;

namespace Orders.Infrastructure.Tests.Poison;

/// <summary>Who is let in beside whom, and what counts as a death.</summary>
public sealed class PoisonGuardTests : InASystem
{
    private const long Suspicious = 2;

    private readonly List<PoisonGuard> _guards = [];
    private ServiceProvider _meters = null!;

    [OneTimeSetUp]
    public void Measure() => _meters = new ServiceCollection().AddMetrics().BuildServiceProvider();

    [OneTimeTearDown]
    public void Forget()
    {
        _guards.ForEach(g => g.Dispose());
        _meters.Dispose();
    }

    [Test]
    public async Task A_suspect_waits_until_it_is_alone_and_others_wait_for_it()
    {
        var guard = Process();
        var first = await guard.EnterAsync(Run(), 0, CancellationToken.None);
        var suspect = guard.EnterAsync(Run(), Suspicious, CancellationToken.None).AsTask();
        var second = guard.EnterAsync(Run(), 0, CancellationToken.None).AsTask();
        Assert.That(suspect.IsCompleted, Is.False, "the suspect runs beside the first");
        Assert.That(second.IsCompleted, Is.False, "a newcomer overtakes the suspect");

        await first.DisposeAsync();
        var alone = await suspect;
        Assert.That(second.IsCompleted, Is.False, "a newcomer runs beside the suspect");

        await alone.DisposeAsync();
        await (await second).DisposeAsync();
        Assert.That(await System.Database.CountAsync("suspects"), Is.Zero, "marks left by runs that ended");
    }

    [Test]
    public async Task A_suspect_that_is_cancelled_while_it_waits_leaves_the_gate_open()
    {
        var guard = Process();
        await using var first = await guard.EnterAsync(Run(), 0, CancellationToken.None);
        using var stop = new CancellationTokenSource();
        var suspect = guard.EnterAsync(Run(), Suspicious, stop.Token).AsTask();
        await stop.CancelAsync();
        Assert.CatchAsync<OperationCanceledException>(() => suspect);

        await using var second = await guard.EnterAsync(Run(), 0, CancellationToken.None);
    }

    [Test]
    public async Task A_message_is_parked_after_two_processes_have_died_at_it_alone()
    {
        var run = Run();
        for (var death = 0; death < 2; death++)
            await DieAsync(run);

        var poison = Assert.ThrowsAsync<PoisonMessageException>(async () => await Process().EnterAsync(run, 4, CancellationToken.None));
        Assert.That(poison.Message, Does.Contain("delivered 5 times").And.Contain("2 process(es) died"));
        Assert.That(await System.Database.CountAsync("suspects where message_id = $1", run.MessageId), Is.Zero, "a redrive begins from nothing");
    }

    [Test]
    public async Task A_run_that_ends_clears_a_suspect()
    {
        var run = Run();
        await DieAsync(run);
        await (await Process().EnterAsync(run, 3, CancellationToken.None)).DisposeAsync();
        await DieAsync(run);
        await (await Process().EnterAsync(run, 5, CancellationToken.None)).DisposeAsync();
        Assert.That(await System.Database.CountAsync("suspects where message_id = $1", run.MessageId), Is.Zero);
    }

    [Test]
    public async Task A_run_that_is_put_off_keeps_the_deaths()
    {
        var run = Run();
        for (var death = 0; death < 2; death++)
        {
            await DieAsync(run);
            if (death == 1)
                break;
            await using var pass = await Process().EnterAsync(run, 3, CancellationToken.None);
            pass.PutOff();
        }

        Assert.ThrowsAsync<PoisonMessageException>(async () => await Process().EnterAsync(run, 4, CancellationToken.None));
    }

    [Test]
    public async Task A_run_that_was_taken_for_dead_does_not_remove_the_mark_of_the_next_one()
    {
        // It stalled longer than its lease.
        var run = Run();
        var late = await Process().EnterAsync(run, Suspicious, CancellationToken.None);
        await System.Database.ExecuteAsync("delete from leases where name = $1", $"suspect {run.MessageId} {run.Step}");
        await using var next = await Process().EnterAsync(run, 3, CancellationToken.None);

        await late.DisposeAsync();
        Assert.That(await System.Database.CountAsync("suspects where message_id = $1 and running", run.MessageId), Is.EqualTo(1), "marks of the run that goes on");
    }

    [Test]
    public async Task A_process_that_still_runs_the_message_has_not_died()
    {
        var run = Run();
        await using var running = await Process().EnterAsync(run, Suspicious, CancellationToken.None);
        Assert.ThrowsAsync<EffectInProgressException>(async () => await Process().EnterAsync(run, 3, CancellationToken.None));
        Assert.That(await System.Database.ScalarAsync<int>("select deaths from suspects where message_id = $1", run.MessageId), Is.Zero);
    }

    [Test]
    public async Task A_run_that_ends_leaves_no_lease()
    {
        var run = Run();
        await (await Process().EnterAsync(run, Suspicious, CancellationToken.None)).DisposeAsync();
        for (var death = 0; death < 2; death++)
            await DieAsync(run);
        Assert.ThrowsAsync<PoisonMessageException>(async () => await Process().EnterAsync(run, 4, CancellationToken.None));
        Assert.That(await System.Database.CountAsync("leases where name like $1", $"%{run.MessageId}%"), Is.Zero);
    }

    [Test]
    public async Task The_message_of_a_dead_process_waits_for_the_end_of_its_lease_and_runs_then()
    {
        var run = Run();
        await DieAsync(run);
        await System.Database.ExecuteAsync(
            "insert into leases (name, holder, until) values ($1, gen_random_uuid(), clock_timestamp() + interval '2 seconds')", $"suspect {run.MessageId} {run.Step}");
        await using var pass = await Process().EnterAsync(run, 3, CancellationToken.None);
        Assert.That(await System.Database.ScalarAsync<int>("select deaths from suspects where message_id = $1", run.MessageId), Is.EqualTo(1), "deaths");
    }

    [Test]
    public async Task A_process_that_stalled_and_was_taken_for_dead_leaves_its_successors_mark_and_takes_back_the_death()
    {
        var run = Run();
        var stalled = await Process().EnterAsync(run, Suspicious, CancellationToken.None);
        await System.Database.ExecuteAsync("delete from leases where name like $1", $"%{run.MessageId}%");
        await using var successor = await Process().EnterAsync(run, 3, CancellationToken.None);
        Assert.That(await System.Database.ScalarAsync<int>("select deaths from suspects where message_id = $1", run.MessageId), Is.EqualTo(1), "deaths, as the successor sees them");

        await stalled.DisposeAsync();
        Assert.That(await System.Database.ScalarAsync<int>("select deaths from suspects where message_id = $1 and running", run.MessageId), Is.Zero, "deaths, once the stalled process has ended its run");
    }

    [Test]
    public async Task A_suspect_holds_no_connection_while_it_runs()
    {
        await using var pool = OrdersPool.Of(System, most: 1);
        await using var pass = await Process(pool).EnterAsync(Run(), Suspicious, CancellationToken.None);
        await using var connection = await pool.OpenConnectionAsync();
    }

    // A mark without the lease of a living process is all that a dead one leaves in the end.
    private Task<int> DieAsync(StepRun run) => System.Database.ExecuteAsync(
        "insert into suspects (message_id, step, deaths, running, host) values ($1, $2, 0, true, 'dead') on conflict (message_id, step) do update set deaths = suspects.deaths + suspects.running::int, running = true",
        run.MessageId, run.Step);

    private static StepRun Run() => OneProcess.Run(HurriedStep.Policy, Guid.NewGuid());

    private PoisonGuard Process(NpgsqlDataSource? pool = null)
    {
        var guard = new PoisonGuard(pool ?? System.Database.Source, new PoisonOptions(), new PoisonMetrics(_meters.GetRequiredService<global::System.Diagnostics.Metrics.IMeterFactory>()), NullLogger<PoisonGuard>.Instance);
        _guards.Add(guard);
        return guard;
    }
}
