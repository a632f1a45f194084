using Npgsql;
using Orders.Testing;
using Orders.Testing.Zoo;
using QueueWorkers.DeadLetters;
using QueueWorkers.Steps;
using QueueWorkers.Steps.Runs;

namespace Orders.Infrastructure.Tests.DeadLettered;

/// <summary>
/// A worker stalls before it records that a message is dead-lettered, while another process does a second copy of the
/// same message. Whoever comes first, the order has what it needs and nobody has to look.
/// </summary>
public sealed class LateRecordTests : SystemFixture
{
    private static readonly StepPolicy Step = HurriedStep.Policy;

    private OneProcess _stalled = null!;
    private OneProcess _other = null!;

    [OneTimeSetUp]
    public void Start() => (_stalled, _other) = (new OneProcess(TestSystem), new OneProcess(TestSystem));

    [OneTimeTearDown]
    public async Task Stop()
    {
        await _stalled.DisposeAsync();
        await _other.DisposeAsync();
    }

    [Test]
    public async Task An_apology_that_another_process_has_done_is_not_recorded_as_dead_lettered([Values] bool indexed)
    {
        var (order, apology) = await DoneStepWithApologyAsync();
        await _other.Committer.CommitAsync(apology);
        await DeadLetterAsync(apology, indexed);
        await AssertDoneAsync(order, apology, indexed);
    }

    [Test]
    public async Task An_apology_whose_idempotency_row_was_purged_is_not_recorded_as_dead_lettered()
    {
        var (order, apology) = await DoneStepWithApologyAsync();
        await _other.Committer.CommitAsync(apology);
        await TestSystem.Database.ExecuteAsync("delete from idempotency where message_id = $1", apology.MessageId);
        await DeadLetterAsync(apology);
        await AssertDoneAsync(order, apology);
    }

    // Both stand at the same two rows: who is first has one of them and waits for the other.
    [Test]
    public async Task An_apology_that_is_recorded_as_dead_lettered_while_another_process_does_it_is_done(
        [Values] bool recordFirst
    )
    {
        var (order, apology) = await DoneStepWithApologyAsync();
        Func<Task>[] both = [() => DeadLetterAsync(apology), () => _other.Committer.CommitAsync(apology)];
        Task first,
            second;
        await using (var held = await HeldRow.ProgressOfAsync(TestSystem, order))
        {
            first = both[recordFirst ? 0 : 1]();
            await held.UntilAwaitedAsync(1);
            second = both[recordFirst ? 1 : 0]();
            await held.UntilAwaitedAsync(2);
        }

        await Task.WhenAll(first, second);
        Assert.That(await TestSystem.EffectsAsync(order), Is.EqualTo(2), "effects");
        await AssertStepAsync(order, StepStatus.Done, OrderStatus.Processing);
        // A failure that was recorded first is closed by the index, which knows that its work is done.
        Assert.That(
            await TestSystem.Database.CountAsync(
                $"failures f where f.message_id = $1 and f.state = {FailureState.Failed:D} and not {FailureTable.IsDone("f")}",
                apology.MessageId
            ),
            Is.Zero,
            "failures that stand"
        );
    }

    [Test]
    public async Task A_message_that_nobody_has_done_can_still_be_done_after_it_was_dead_lettered()
    {
        var (order, apology) = await DoneStepWithApologyAsync();
        await DeadLetterAsync(apology);
        await AssertStepAsync(order, StepStatus.Failed, OrderStatus.NeedsAttention);

        Assert.That(await _other.Committer.CommitAsync(apology), Is.True, "whether it was committed");
        await AssertStepAsync(order, StepStatus.Done, OrderStatus.Processing);
    }

    [Test]
    public async Task A_message_that_waits_for_its_next_attempt_does_not_hide_one_that_is_dead_lettered_at_that_moment(
        [Values] bool hasRow
    )
    {
        var order = await TestSystem.StoreAsync();
        var (dead, waits) = (OneProcess.Run(Step, order), OneProcess.Apology(Step, order));
        if (hasRow)
            await _stalled.Failures.RecordAsync(dead, new TimeoutException("Not now."), TimeSpan.FromSeconds(2));

        // The other process as it is just before its commit.
        Task record;
        await using (var connection = await TestSystem.Database.Source.OpenConnectionAsync())
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            await FailureRows.WriteAsync(connection, [OneProcess.DeadLetterOf(dead)], CancellationToken.None);
            await using var command = new NpgsqlCommand(
                $"""
                insert into step_runs (subject_id, step, status, attempts) values ($1, $2, {StepStatus.Failed:D}, 1)
                on conflict (subject_id, step) do update set status = {StepStatus.Failed:D}
                """,
                connection
            );
            command.Parameters.Add(new() { Value = order });
            command.Parameters.Add(new() { Value = Step.Name });
            await command.ExecuteNonQueryAsync();
            record = _stalled.Failures.RecordAsync(waits, new TimeoutException("Not now."), TimeSpan.FromSeconds(2));
            await HeldRow.UntilAwaitedAsync(TestSystem, 1);
            await transaction.CommitAsync();
        }

        await record;
        Assert.That(await TestSystem.StatusAsync(order, Step.Name), Is.EqualTo(StepStatus.Failed));
    }

    private async Task<(Guid Order, StepRun Apology)> DoneStepWithApologyAsync()
    {
        var order = await TestSystem.StoreAsync();
        await _other.Committer.CommitAsync(OneProcess.Run(Step, order));
        return (order, OneProcess.Apology(Step, order));
    }

    // Not indexed: the worker could not store what it knows of the message, and the index takes it from the queue.
    private Task DeadLetterAsync(StepRun run, bool indexed = true) =>
        _stalled.Failures.RecordAsync(
            run,
            new InvalidOperationException("No."),
            nextAttempt: null,
            indexed ? OneProcess.DeadLetterOf(run) : null
        );

    private async Task AssertStepAsync(Guid order, StepStatus step, OrderStatus status)
    {
        Assert.That(await TestSystem.StatusAsync(order, Step.Name), Is.EqualTo(step), "step");
        Assert.That(await TestSystem.OrderStatusAsync(order), Is.EqualTo(status), "order");
    }

    private async Task AssertDoneAsync(Guid order, StepRun run, bool indexed = true)
    {
        await AssertStepAsync(order, StepStatus.Done, OrderStatus.Processing);
        Assert.That(
            await TestSystem.Database.RowsAsync("select state from failures where message_id = $1", run.MessageId),
            Is.EqualTo(indexed ? new object[][] { [(short)FailureState.Redriven] } : []),
            "the failure, closed, for the index to take its message out of the queue"
        );
    }
}
