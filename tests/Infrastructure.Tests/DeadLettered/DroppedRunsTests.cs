using Npgsql;
using Orders.Infrastructure.Failures;
using Orders.Testing;
using Orders.Testing.Zoo;
using QueueWorkers.DeadLetters;
using QueueWorkers.Messaging;
using QueueWorkers.Outbox.Relaying;
using QueueWorkers.Redrive;
using QueueWorkers.Redrive.Payloads;
using QueueWorkers.Steps;
using QueueWorkers.Steps.Runs;

namespace Orders.Infrastructure.Tests.DeadLettered;

/// <summary>
/// Runs that are dropped because another message has done their effect. What their own message had left (a redrive
/// under way, an attempt to come) ends with them, whoever shares their commit and whatever becomes of that.
/// </summary>
public sealed class DroppedRunsTests : SystemFixture
{
    private static readonly StepPolicy Step = HurriedStep.Policy;

    private OneProcess _process = null!;
    private RelayFeed _feed = null!;
    private RedriveMover _mover = null!;

    /// <summary>With whom a dropped run shares its commit.</summary>
    public enum Company
    {
        None,
        Another,
        TheOneThatDoesItsEffect,
    }

    [OneTimeSetUp]
    public async Task Start()
    {
        await TestSystem.Database.ExecuteAsync(Note.Table);
        _process = new OneProcess(TestSystem);
        _feed = new RelayFeed();
        var contract = new PayloadContract(new ZooContracts());
        _mover = new RedriveMover(
            _feed,
            new OrderDirectory(TestSystem.Database.Source, new ZooContracts()),
            contract,
            new PayloadEdits(contract)
        );
    }

    [OneTimeTearDown]
    public async Task Stop()
    {
        await _process.DisposeAsync();
        _feed.Dispose();
    }

    [Test]
    public async Task A_redrive_of_a_message_whose_effect_another_has_done_ends_while_a_third_one_stands(
        [Values] Company company
    )
    {
        var order = await TestSystem.StoreAsync();
        var (replayed, apology, run) = (OneProcess.Run(Step, order), Secondary(order), OneProcess.Run(Step, order));
        await DeadLetterAsync(replayed);
        await DeadLetterAsync(apology);
        if (company != Company.TheOneThatDoesItsEffect)
            await _process.Committer.CommitAsync(run);
        var redrive = await RedriveAsync(replayed);

        var dropped = company switch
        {
            Company.None => await _process.Committer.CommitAsync(replayed),
            Company.Another => (await TogetherAsync(replayed, OneProcess.Run(Step, await TestSystem.StoreAsync())))[0],
            _ => (await TogetherAsync(run, replayed))[1],
        };

        Assert.That(dropped, Is.False, "whether the run was committed");
        Assert.That(await TestSystem.StatusAsync(order, Step.Name), Is.EqualTo(StepStatus.Failed), "with the apology");
        Assert.That(await SettledAsync(redrive), Is.EqualTo(RedriveItemState.Done));
    }

    [Test]
    public async Task A_fault_while_a_dropped_run_is_cleared_up_does_not_make_duplicates_of_the_others()
    {
        var order = await TestSystem.StoreAsync();
        var copy = OneProcess.Run(Step, order);
        await _process.Committer.CommitAsync(OneProcess.Run(Step, order));
        await TestSystem.Database.ExecuteAsync(
            $"update step_runs set status = {StepStatus.Retrying:D} where subject_id = $1",
            order
        );
        await TestSystem.Database.ExecuteAsync(
            $"""
            create function refuse() returns trigger language plpgsql as
                $$begin raise exception 'The database refuses this row.'; end$$;
            create trigger refused before update on step_runs for each row
                when (new.subject_id = '{order}') execute function refuse()
            """
        );

        var other = OneProcess.Run(Step, await TestSystem.StoreAsync());
        var (copied, committed) = await TogetherTasksAsync(copy, other);

        Assert.That(async () => await copied, Throws.InstanceOf<PostgresException>());
        Assert.That(await committed, Is.True, "whether the other run was committed, and is not taken for a duplicate");
        await TestSystem.Database.ExecuteAsync("drop trigger refused on step_runs; drop function refuse()");
        Assert.That(await _process.Committer.CommitAsync(copy), Is.False, "whether the copy was committed");
        Assert.That(await TestSystem.StatusAsync(order, Step.Name), Is.EqualTo(StepStatus.Done));
    }

    private static StepRun Secondary(Guid order)
    {
        var run = OneProcess.Run(Step, order);
        (run.Effect, run.IsSecondary) = ("apology", true);
        return run;
    }

    private Task DeadLetterAsync(StepRun run) =>
        _process.Failures.RecordAsync(
            run,
            new InvalidOperationException("No."),
            nextAttempt: null,
            OneProcess.DeadLetterOf(run)
        );

    private async Task<bool[]> TogetherAsync(StepRun first, StepRun second)
    {
        var (one, two) = await TogetherTasksAsync(first, second);
        return await Task.WhenAll(one, two);
    }

    // Both are there while the writer waits with a third one.
    private async Task<(Task<bool>, Task<bool>)> TogetherTasksAsync(StepRun first, StepRun second)
    {
        var busy = OneProcess.Run(Step, await TestSystem.StoreAsync());
        (Task<bool>, Task<bool>) both;
        Task<bool> ahead;
        await using (var held = await HeldRow.ProgressOfAsync(TestSystem, busy.SubjectId))
        {
            ahead = _process.Committer.CommitAsync(busy);
            await held.UntilAwaitedAsync(1);
            both = (_process.Committer.CommitAsync(first), _process.Committer.CommitAsync(second));
        }

        await ahead;
        return both;
    }

    private async Task<Guid> RedriveAsync(StepRun run)
    {
        await using var connection = await TestSystem.Database.Source.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        var redrive = Guid.CreateVersion7();
        await using var command = new NpgsqlCommand(
            $"""
            with r as (
                insert into redrives (id, stage, created_by, reason, filter, canary, rate_per_second, stop_percent,
                    total)
                values ($1, {RedriveStage.Ramp:D}, 'otto', 'To see.', '{"{}"}', 0, 100, 100, 1))
            insert into redrive_items (redrive_id, failure_id, state)
            select $1, id, {RedriveItemState.Waiting:D} from failures where message_id = $2
            """,
            connection
        );
        command.Parameters.Add(new() { Value = redrive });
        command.Parameters.Add(new() { Value = run.MessageId });
        await command.ExecuteNonQueryAsync();
        var (_, sent) = await _mover.MoveAsync(connection, redrive, null, 10, CancellationToken.None);
        Assert.That(sent, Is.EqualTo(1), "messages that were redriven");
        await transaction.CommitAsync();
        // As the relay leaves it.
        await TestSystem.Database.ExecuteAsync("delete from outbox where message_id = $1", run.MessageId);
        return redrive;
    }

    private async Task<RedriveItemState> SettledAsync(Guid redrive)
    {
        await using var connection = await TestSystem.Database.Source.OpenConnectionAsync();
        await RedriveSql.SettleAsync(connection, redrive, CancellationToken.None);
        return (RedriveItemState)
            await TestSystem.Database.ScalarAsync<short>(
                "select state from redrive_items where redrive_id = $1",
                redrive
            );
    }

    private sealed class ZooContracts : IMessageContracts
    {
        public IReadOnlyCollection<string> Names => [];

        public Type? Find(string messageType) => messageType == "Orders.Testing.Zoo:Feed" ? typeof(Feed) : null;
    }
}
