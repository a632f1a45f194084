using Npgsql;
using Orders.Testing;
using Orders.Testing.Zoo;
using QueueWorkers.Consuming;
using QueueWorkers.DeadLetters;
using QueueWorkers.Idempotency;
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
    private Redriver _redriver = null!;

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
        (_process, _redriver) = (new OneProcess(TestSystem), new Redriver(TestSystem));
    }

    [OneTimeTearDown]
    public async Task Stop()
    {
        await _process.DisposeAsync();
        _redriver.Dispose();
    }

    [Test]
    public async Task A_redrive_of_a_message_whose_effect_another_has_done_ends_while_a_third_one_stands(
        [Values] Company company
    )
    {
        var order = await TestSystem.StoreAsync();
        var (replayed, apology, run) = (
            OneProcess.Run(Step, order),
            OneProcess.Apology(Step, order),
            OneProcess.Run(Step, order)
        );
        await DeadLetterAsync(replayed);
        await DeadLetterAsync(apology);
        if (company != Company.TheOneThatDoesItsEffect)
            await _process.Committer.CommitAsync(run);
        var redrive = await _redriver.RedriveAsync(replayed.MessageId);

        var dropped = company switch
        {
            Company.None => await _process.Committer.CommitAsync(replayed),
            Company.Another => (await TogetherAsync(replayed, OneProcess.Run(Step, await TestSystem.StoreAsync())))[0],
            _ => (await TogetherAsync(run, replayed))[1],
        };

        Assert.That(dropped, Is.False, "whether the run was committed");
        Assert.That(await TestSystem.StatusAsync(order, Step.Name), Is.EqualTo(StepStatus.Failed), "with the apology");
        Assert.That(await _redriver.SettleAsync(redrive), Is.EqualTo(RedriveItemState.Done));
    }

    [Test]
    public async Task A_copy_of_a_dropped_message_that_fails_for_good_does_not_ask_for_attention(
        [Values(Company.None, Company.Another)] Company company
    )
    {
        var order = await TestSystem.StoreAsync();
        var run = OneProcess.Run(Step, order);
        await _process.Committer.CommitAsync(OneProcess.Run(Step, order));
        await DropAsync(run, company);
        Assert.That(await KeysAsync(run), Is.EqualTo(1), "keys of the dropped message");

        await DeadLetterAsync(OneProcess.Run(Step, order, run.MessageId));

        Assert.That(await TestSystem.StatusAsync(order, Step.Name), Is.EqualTo(StepStatus.Done));
        Assert.That(await TestSystem.OrderStatusAsync(order), Is.EqualTo(OrderStatus.Processing));
    }

    [Test]
    public async Task A_dropped_run_leaves_no_key_while_another_run_is_still_at_its_effect(
        [Values(Company.None, Company.Another)] Company company
    )
    {
        var order = await TestSystem.StoreAsync();
        var run = OneProcess.Run(Step, order);
        await TestSystem.Database.ExecuteAsync(
            $"""
            insert into effects (subject_id, effect, message_id, step, state, lease_until)
            values ($1, $2, $3, $2, {EffectState.Pending:D}, now() + interval '1 hour')
            """,
            order,
            Step.Name,
            Guid.NewGuid()
        );

        await DropAsync(run, company);

        Assert.That(await KeysAsync(run), Is.Zero, "keys of a message whose work may still fail");
    }

    [Test]
    public async Task A_redriven_message_that_is_left_out_because_its_effect_is_done_ends_its_redrive()
    {
        var order = await TestSystem.StoreAsync();
        var run = OneProcess.Run(Step, order);
        await _process.Committer.CommitAsync(OneProcess.Run(Step, order));
        await DeadLetterAsync(run);
        var redrive = await _redriver.RedriveAsync(run.MessageId);
        Assert.That(await TestSystem.StatusAsync(order, Step.Name), Is.EqualTo(StepStatus.Retrying));

        Assert.That(await _process.Skips.TryAsync(run, StepStatus.Cancelled), Is.EqualTo(SkipOutcome.Duplicate));

        Assert.That(await TestSystem.StatusAsync(order, Step.Name), Is.EqualTo(StepStatus.Done));
        Assert.That(await _redriver.SettleAsync(redrive), Is.EqualTo(RedriveItemState.Done));
        Assert.That(await TestSystem.OrderStatusAsync(order), Is.EqualTo(OrderStatus.Processing));
    }

    [Test]
    public async Task A_redrive_of_which_one_copy_did_the_work_has_not_failed_again()
    {
        var order = await TestSystem.StoreAsync();
        var run = OneProcess.Run(Step, order);
        await DeadLetterAsync(run);
        var redrive = await _redriver.RedriveAsync(run.MessageId);
        Assert.That(await _process.Committer.CommitAsync(run), Is.True, "whether the first copy was committed");

        await DeadLetterAsync(OneProcess.Run(Step, order, run.MessageId), generation: 1);

        Assert.That(await _redriver.SettleAsync(redrive), Is.EqualTo(RedriveItemState.Done));
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

    private Task DeadLetterAsync(StepRun run, int generation = 0) =>
        _process.Failures.RecordAsync(
            run,
            new InvalidOperationException("No."),
            nextAttempt: null,
            OneProcess.DeadLetterOf(run, generation)
        );

    private Task<long> KeysAsync(StepRun run) =>
        TestSystem.Database.CountAsync("idempotency where message_id = $1 and step = $2", run.MessageId, run.Step);

    private async Task DropAsync(StepRun run, Company company)
    {
        var committed =
            company == Company.None
                ? await _process.Committer.CommitAsync(run)
                : (await TogetherAsync(run, OneProcess.Run(Step, await TestSystem.StoreAsync())))[0];
        Assert.That(committed, Is.False, "whether the run was committed");
    }

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
}
