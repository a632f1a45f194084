using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Orders.Testing;
using Orders.Testing.Zoo;
using QueueWorkers.DeadLetters;
using QueueWorkers.DeadLetters.Recording;
using QueueWorkers.FlowControl.Poison;
using QueueWorkers.Steps.Faults;
using QueueWorkers.Steps.Runs;

namespace Orders.Infrastructure.Tests.Poison;

/// <summary>Who is let in beside whom, and what counts as a death.</summary>
public sealed class PoisonGuardTests : SystemFixture
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
        var first = await guard.EnterAsync(Run(), default, CancellationToken.None);
        var run = Run();
        var suspect = guard.EnterAsync(run, new(Suspicious), CancellationToken.None).AsTask();
        // Until the suspect has its lease nobody waits for it: a dead process's lease may take ten seconds to end.
        var second = await NewcomerThatWaitsAsync(guard);
        Assert.That(suspect.IsCompleted, Is.False, "the suspect runs beside the first");

        await first.DisposeAsync();
        var alone = await suspect;
        Assert.That(second.IsCompleted, Is.False, "a newcomer runs beside the suspect");

        await alone.DisposeAsync();
        await (await second).DisposeAsync();
        Assert.That(
            await TestSystem.Database.CountAsync("suspects where message_id = $1", run.MessageId),
            Is.Zero,
            "marks left by runs that ended"
        );
    }

    [Test]
    public async Task A_suspect_that_is_cancelled_while_it_waits_leaves_the_gate_open()
    {
        var guard = Process();
        await using var first = await guard.EnterAsync(Run(), default, CancellationToken.None);
        using var stop = new CancellationTokenSource();
        var suspect = guard.EnterAsync(Run(), new(Suspicious), stop.Token).AsTask();
        await stop.CancelAsync();
        Assert.CatchAsync<OperationCanceledException>(() => suspect);

        await using var second = await guard.EnterAsync(Run(), default, CancellationToken.None);
    }

    [Test]
    public async Task A_message_is_dead_lettered_after_two_processes_have_died_at_it_alone()
    {
        var run = Run();
        for (var death = 0; death < 2; death++)
            await DieAsync(run);

        var poison = Assert.ThrowsAsync<PoisonMessageException>(async () =>
            await Process().EnterAsync(run, new(4), CancellationToken.None)
        );
        Assert.That(poison.Message, Does.Contain("delivered 5 times").And.Contain("2 process(es) died"));
    }

    [Test]
    public async Task A_killer_that_is_not_in_error_yet_is_dead_lettered_again_and_not_run()
    {
        // Whoever found it has died before it was there.
        var run = Run();
        await BePoisonousAsync(run);
        await PassVerdictAsync(run);
        Assert.ThrowsAsync<PoisonMessageException>(() => EnterAsync(run, 4));
    }

    [Test]
    public async Task A_copy_waits_while_the_killer_is_moved_to_error_and_is_dropped_then()
    {
        var run = Run();
        var poison = await BePoisonousAsync(run);
        // As if found just now, however busy the machine is.
        await TestSystem.Database.ExecuteAsync(
            "update suspects set at = clock_timestamp() + interval '1 minute' where message_id = $1",
            run.MessageId
        );
        Assert.ThrowsAsync<EffectInProgressException>(() => EnterAsync(run, 1));

        await DeadLetterAsync(run, poison);
        var copy = await EnterAsync(run, 1);
        Assert.That(copy.IsCopyOfDeadLetter, "a copy that was lost once");
        await copy.DisposeAsync();
    }

    [Test]
    public async Task A_copy_that_was_never_lost_is_known_to_the_process_that_found_the_killer()
    {
        var (run, process) = (Run(), Process());
        await DieAsync(run);
        await DieAsync(run);
        var poison = Assert.ThrowsAsync<PoisonMessageException>(async () =>
            await process.EnterAsync(run, new(4), CancellationToken.None)
        );
        await DeadLetterAsync(run, poison);
        await using var copy = await process.EnterAsync(run, default, CancellationToken.None);
        Assert.That(copy.IsCopyOfDeadLetter);
    }

    [Test]
    public async Task A_redriven_killer_begins_from_nothing_and_its_old_copies_are_dropped()
    {
        var run = Run();
        await DeadLetterAsync(run, await BePoisonousAsync(run));
        await TestSystem.Database.ExecuteAsync(
            "update failures set state = $2 where identity = $1",
            run.MessageId,
            (short)FailureState.Redriving
        );
        await using var redriven = await Process().EnterAsync(run, new(1, Generation: 1), CancellationToken.None);
        Assert.That(redriven.IsCopyOfDeadLetter, Is.False);
        Assert.That(
            await TestSystem.Database.ScalarAsync<int>(
                "select lost + deaths from suspects where message_id = $1",
                run.MessageId
            ),
            Is.EqualTo(1),
            "what is counted of the redriven message"
        );

        await using var old = await Process().EnterAsync(run, new(3), CancellationToken.None);
        Assert.That(old.IsCopyOfDeadLetter, "a copy from before the redrive");
    }

    [TestCase(true, FailureState.Failed, Description = "The index has not noticed yet.")]
    [TestCase(false, FailureState.Gone)]
    [TestCase(false, FailureState.Archived)]
    public async Task A_killer_whose_dead_letter_was_moved_or_put_away_by_hand_is_not_dropped(
        bool isFromErrorQueue,
        FailureState state
    )
    {
        var run = Run();
        await DeadLetterAsync(run, await BePoisonousAsync(run));
        await TestSystem.Database.ExecuteAsync(
            "update failures set state = $2 where identity = $1",
            run.MessageId,
            (short)state
        );
        await using var pass = await Process()
            .EnterAsync(run, new(1, IsFromErrorQueue: isFromErrorQueue), CancellationToken.None);
        Assert.That(pass.IsCopyOfDeadLetter, Is.False);
    }

    [Test]
    public async Task Lost_deliveries_are_counted_over_all_copies_of_a_message()
    {
        // The first delivery is lost. The second one (lost 1) dies among others.
        var run = Run();
        _ = await EnterAsync(run, 1);

        // A copy comes with a lower count than the broker has for the original by now.
        var copy = await EnterAsync(run, 1);
        Assert.That(
            await TestSystem.Database.ScalarAsync<int>(
                "select lost from suspects where message_id = $1",
                run.MessageId
            ),
            Is.EqualTo(2),
            "lost deliveries of the message"
        );
        Assert.That(
            await TestSystem.Database.CountAsync("leases where name like $1", $"%{run.MessageId}%"),
            Is.EqualTo(1),
            "leases of runs alone"
        );
        await copy.DisposeAsync();
    }

    [Test]
    public async Task A_run_that_ends_clears_a_suspect()
    {
        var run = Run();
        await DieAsync(run);
        await (await Process().EnterAsync(run, new(3), CancellationToken.None)).DisposeAsync();
        await DieAsync(run);
        await (await Process().EnterAsync(run, new(5), CancellationToken.None)).DisposeAsync();
        Assert.That(await TestSystem.Database.CountAsync("suspects where message_id = $1", run.MessageId), Is.Zero);
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
            await using var pass = await Process().EnterAsync(run, new(3), CancellationToken.None);
            pass.PutOff();
        }

        Assert.ThrowsAsync<PoisonMessageException>(async () =>
            await Process().EnterAsync(run, new(4), CancellationToken.None)
        );
    }

    [Test]
    public async Task A_run_that_was_taken_for_dead_does_not_remove_the_mark_of_the_next_one()
    {
        // It stalled longer than its lease.
        var run = Run();
        var late = await Process().EnterAsync(run, new(Suspicious), CancellationToken.None);
        await TestSystem.Database.ExecuteAsync(
            "delete from leases where name = $1",
            $"suspect {run.MessageId} {run.Step}"
        );
        await using var next = await Process().EnterAsync(run, new(3), CancellationToken.None);

        await late.DisposeAsync();
        Assert.That(
            await TestSystem.Database.CountAsync("suspects where message_id = $1 and running", run.MessageId),
            Is.EqualTo(1),
            "marks of the run that goes on"
        );
    }

    [Test]
    public async Task A_process_that_still_runs_the_message_has_not_died()
    {
        var run = Run();
        await using var running = await Process().EnterAsync(run, new(Suspicious), CancellationToken.None);
        Assert.ThrowsAsync<EffectInProgressException>(async () =>
            await Process().EnterAsync(run, new(3), CancellationToken.None)
        );
        Assert.That(
            await TestSystem.Database.ScalarAsync<int>(
                "select deaths from suspects where message_id = $1",
                run.MessageId
            ),
            Is.Zero
        );
    }

    [Test]
    public async Task A_run_that_ends_leaves_no_lease()
    {
        var run = Run();
        await (await Process().EnterAsync(run, new(Suspicious), CancellationToken.None)).DisposeAsync();
        for (var death = 0; death < 2; death++)
            await DieAsync(run);
        Assert.ThrowsAsync<PoisonMessageException>(async () =>
            await Process().EnterAsync(run, new(4), CancellationToken.None)
        );
        Assert.That(await TestSystem.Database.CountAsync("leases where name like $1", $"%{run.MessageId}%"), Is.Zero);
    }

    [Test]
    public async Task The_message_of_a_dead_process_waits_for_the_end_of_its_lease_and_runs_then()
    {
        var run = Run();
        await DieAsync(run);
        await TestSystem.Database.ExecuteAsync(
            "insert into leases (name, holder, until) values ($1, gen_random_uuid(), clock_timestamp() + interval '2 seconds')",
            $"suspect {run.MessageId} {run.Step}"
        );
        await using var pass = await Process().EnterAsync(run, new(3), CancellationToken.None);
        Assert.That(
            await TestSystem.Database.ScalarAsync<int>(
                "select deaths from suspects where message_id = $1",
                run.MessageId
            ),
            Is.EqualTo(1),
            "deaths"
        );
    }

    [Test]
    public async Task A_process_that_stalled_and_was_taken_for_dead_leaves_its_successors_mark_and_takes_back_the_death()
    {
        var run = Run();
        var stalled = await Process().EnterAsync(run, new(Suspicious), CancellationToken.None);
        await TestSystem.Database.ExecuteAsync("delete from leases where name like $1", $"%{run.MessageId}%");
        await using var successor = await Process().EnterAsync(run, new(3), CancellationToken.None);
        Assert.That(
            await TestSystem.Database.ScalarAsync<int>(
                "select deaths from suspects where message_id = $1",
                run.MessageId
            ),
            Is.EqualTo(1),
            "deaths, as the successor sees them"
        );

        await stalled.DisposeAsync();
        Assert.That(
            await TestSystem.Database.ScalarAsync<int>(
                "select deaths from suspects where message_id = $1 and running",
                run.MessageId
            ),
            Is.Zero,
            "deaths, once the stalled process has ended its run"
        );
    }

    // It stalls between taking its lease and its look; meanwhile another process runs the message alone.
    [Test]
    public async Task A_process_that_lost_its_lease_before_its_mark_takes_its_successor_for_no_death()
    {
        var (run, slow) = (Run(), Process());
        await DieAsync(run);
        var first = await slow.EnterAsync(Run(), default, CancellationToken.None);
        var stalled = slow.EnterAsync(run, new(3), CancellationToken.None).AsTask();
        await Eventually.That(
            () => TestSystem.Database.CountAsync("leases where name like $1", $"%{run.MessageId}%"),
            Is.EqualTo(1),
            "leases of the stalled process"
        );
        await TestSystem.Database.ExecuteAsync("delete from leases where name like $1", $"%{run.MessageId}%");
        var successor = await Process().EnterAsync(run, new(3), CancellationToken.None);

        await first.DisposeAsync();
        Assert.ThrowsAsync<EffectInProgressException>(() => stalled);
        Assert.That(
            await TestSystem.Database.ScalarAsync<int>(
                "select deaths from suspects where message_id = $1 and running",
                run.MessageId
            ),
            Is.EqualTo(1),
            "deaths: the first process, and not the successor"
        );
        await successor.DisposeAsync();
        Assert.That(
            await TestSystem.Database.CountAsync("suspects where message_id = $1", run.MessageId),
            Is.Zero,
            "marks, once the successor has ended its run"
        );
    }

    [Test]
    public async Task A_run_that_lost_its_lease_to_nobody_leaves_no_mark()
    {
        var run = Run();
        var stalled = await Process().EnterAsync(run, new(Suspicious), CancellationToken.None);
        await TestSystem.Database.ExecuteAsync("delete from leases where name like $1", $"%{run.MessageId}%");

        await stalled.DisposeAsync();
        Assert.That(
            await TestSystem.Database.CountAsync("suspects where message_id = $1", run.MessageId),
            Is.Zero,
            "marks that the next delivery would count as a death"
        );
    }

    [Test]
    public async Task A_suspect_holds_no_connection_while_it_runs()
    {
        await using var pool = OrdersPool.Of(TestSystem, most: 1);
        await using var pass = await Process(pool).EnterAsync(Run(), new(Suspicious), CancellationToken.None);
        await using var connection = await pool.OpenConnectionAsync();
    }

    private static async Task<Task<PoisonGuard.Pass>> NewcomerThatWaitsAsync(PoisonGuard guard)
    {
        var newcomer = Task.FromResult(default(PoisonGuard.Pass));
        await Eventually.That(
            async () =>
            {
                newcomer = guard.EnterAsync(Run(), default, CancellationToken.None).AsTask();
                if (newcomer.IsCompleted)
                    await (await newcomer).DisposeAsync();
                return newcomer.IsCompleted;
            },
            Is.False,
            "a newcomer overtakes the suspect"
        );
        return newcomer;
    }

    // A mark without the lease of a living process is all that a dead one leaves in the end.
    private Task<int> DieAsync(StepRun run) =>
        TestSystem.Database.ExecuteAsync(
            "insert into suspects (message_id, step, lost, deaths, running, host) values ($1, $2, 2, 0, true, 'dead') on conflict (message_id, step) do update set deaths = suspects.deaths + suspects.running::int, running = true",
            run.MessageId,
            run.Step
        );

    private async Task<PoisonGuard.Pass> EnterAsync(StepRun run, long lost) =>
        await Process().EnterAsync(run, new(lost), CancellationToken.None);

    private async Task<PoisonMessageException> BePoisonousAsync(StepRun run)
    {
        await DieAsync(run);
        await DieAsync(run);
        return Assert.ThrowsAsync<PoisonMessageException>(() => EnterAsync(run, 4));
    }

    private async Task DeadLetterAsync(StepRun run, PoisonMessageException poison)
    {
        await using var connection = await TestSystem.Database.Source.OpenConnectionAsync();
        await FailureRows.WriteAsync(
            connection,
            [
                new DeadLetter
                {
                    Queue = $"{run.Step}_error",
                    Kind = FailureKind.Error,
                    Identity = run.MessageId,
                    MessageId = run.MessageId,
                    Step = run.Step,
                    FaultType = poison.GetType().FullName!,
                    FaultMessage = poison.Message,
                    Body = [],
                    ContentType = "application/json",
                },
            ],
            CancellationToken.None
        );
        await Process().DeadLetteredAsync(poison, CancellationToken.None);
    }

    private Task<int> PassVerdictAsync(StepRun run) =>
        TestSystem.Database.ExecuteAsync(
            "update suspects set at = at - interval '1 minute' where message_id = $1",
            run.MessageId
        );

    private static StepRun Run() => OneProcess.Run(HurriedStep.Policy, Guid.NewGuid());

    private PoisonGuard Process(NpgsqlDataSource? pool = null, KnownSuspects? known = null)
    {
        var guard = new PoisonGuard(
            pool ?? TestSystem.Database.Source,
            new PoisonOptions(),
            known ?? new KnownSuspects(),
            new PoisonMetrics(_meters.GetRequiredService<System.Diagnostics.Metrics.IMeterFactory>()),
            NullLogger<PoisonGuard>.Instance
        );
        _guards.Add(guard);
        return guard;
    }
}
