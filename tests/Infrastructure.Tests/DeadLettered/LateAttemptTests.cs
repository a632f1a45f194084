using Orders.Testing;
using Orders.Testing.Zoo;
using QueueWorkers.Steps;
using QueueWorkers.Steps.Runs;

namespace Orders.Infrastructure.Tests.DeadLettered;

/// <summary>
/// A worker that was held up records attempts of a message whose work another copy has ended meanwhile. No attempt is
/// to come then, and nothing may say so: the order could neither be archived nor its customer erased.
/// </summary>
public sealed class LateAttemptTests : SystemFixture
{
    private static readonly StepPolicy Step = HurriedStep.Policy;

    private OneProcess _process = null!;

    [OneTimeSetUp]
    public void Start() => _process = new OneProcess(TestSystem);

    [OneTimeTearDown]
    public ValueTask Stop() => _process.DisposeAsync();

    [TestCase(StepStatus.Rejected)]
    [TestCase(StepStatus.Cancelled)]
    [TestCase(StepStatus.Done)]
    public async Task Late_attempts_of_a_step_that_has_ended_leave_it_as_it_is(StepStatus ended)
    {
        var order = await TestSystem.StoreAsync();
        var run = OneProcess.Run(Step, order);
        if (ended == StepStatus.Rejected)
            run.Reject("There is none left.");
        if (ended == StepStatus.Cancelled)
            await _process.Skips.TryAsync(run, StepStatus.Cancelled);
        else
            await _process.Committer.CommitAsync(run);
        var status = await TestSystem.OrderStatusAsync(order);
        var copy = OneProcess.Run(Step, order, run.MessageId);

        await RetryAsync(copy);
        Assert.That(await TestSystem.StatusAsync(order, Step.Name), Is.EqualTo(ended), "with an attempt to come");
        await DeadLetterAsync(copy);

        Assert.That(await TestSystem.StatusAsync(order, Step.Name), Is.EqualTo(ended), "after the last one");
        Assert.That(await TestSystem.OrderStatusAsync(order), Is.EqualTo(status));
    }

    [Test]
    public async Task Late_attempts_of_an_apology_leave_no_attempt_to_come()
    {
        var (order, apology) = await DoneStepWithApologyAsync();
        await _process.Committer.CommitAsync(apology);
        var copy = OneProcess.Apology(Step, order, apology.MessageId);

        await RetryAsync(copy);
        await DeadLetterAsync(copy);

        await AssertDoneAsync(order);
    }

    [Test]
    public async Task The_last_attempt_ends_what_earlier_ones_have_left()
    {
        var (order, apology) = await DoneStepWithApologyAsync();
        await _process.Committer.CommitAsync(apology);
        // As versions left it that recorded late attempts.
        await TestSystem.Database.ExecuteAsync(
            $"""
            update step_runs set status = {StepStatus.Retrying:D}, own_status = {StepStatus.Done:D},
                next_attempt_at = now() where subject_id = $1
            """,
            order
        );

        await DeadLetterAsync(OneProcess.Apology(Step, order, apology.MessageId));

        await AssertDoneAsync(order);
    }

    private async Task<(Guid Order, StepRun Apology)> DoneStepWithApologyAsync()
    {
        var order = await TestSystem.StoreAsync();
        await _process.Committer.CommitAsync(OneProcess.Run(Step, order));
        return (order, OneProcess.Apology(Step, order));
    }

    private Task RetryAsync(StepRun run) =>
        _process.Failures.RecordAsync(run, new TimeoutException("Not now."), TimeSpan.FromSeconds(2));

    private Task DeadLetterAsync(StepRun run) =>
        _process.Failures.RecordAsync(
            run,
            new InvalidOperationException("No."),
            nextAttempt: null,
            OneProcess.DeadLetterOf(run)
        );

    private async Task AssertDoneAsync(Guid order)
    {
        Assert.That(await TestSystem.StatusAsync(order, Step.Name), Is.EqualTo(StepStatus.Done));
        Assert.That(
            await TestSystem.Database.CountAsync(
                "step_runs where subject_id = $1 and next_attempt_at is not null",
                order
            ),
            Is.Zero,
            "attempts to come"
        );
        Assert.That(await TestSystem.OrderStatusAsync(order), Is.EqualTo(OrderStatus.Processing));
    }
}
