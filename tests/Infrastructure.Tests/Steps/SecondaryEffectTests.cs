using Orders.Testing;
using Orders.Testing.Zoo;
using QueueWorkers.Steps;
using QueueWorkers.Steps.Claims;
using QueueWorkers.Steps.Runs;

namespace Orders.Infrastructure.Tests.Steps;

/// <summary>
/// An effect that the subject's progress does not wait for, such as an apology: it must neither hide nor replace the
/// step's own state.
/// </summary>
public sealed class SecondaryEffectTests : SystemFixture
{
    private static readonly StepPolicy Step = HurriedStep.Policy;

    private OneProcess _process = null!;

    [OneTimeSetUp]
    public void Start() => _process = new OneProcess(TestSystem);

    [OneTimeTearDown]
    public ValueTask Stop() => _process.DisposeAsync();

    [Test]
    public async Task An_secondary_effect_that_begins_leaves_the_status_of_its_step_alone()
    {
        var order = await TestSystem.StoreAsync();
        await DoneAsync(order);
        var extra = SecondaryOf(order, new EffectClaims(TestSystem.Database.Source));
        await extra.ClaimAsync(TimeSpan.FromSeconds(30), null, CancellationToken.None);
        Assert.That(
            await TestSystem.StatusAsync(order, Step.Name),
            Is.EqualTo(StepStatus.Done),
            "during the secondary effect"
        );

        await _process.Committer.CommitAsync(extra);
        Assert.That(await TestSystem.StatusAsync(order, Step.Name), Is.EqualTo(StepStatus.Done));
        Assert.That(await TestSystem.EffectsAsync(order), Is.EqualTo(2));
    }

    [Test]
    public async Task A_failed_secondary_effect_is_shown_until_it_succeeds()
    {
        var order = await TestSystem.StoreAsync();
        await DoneAsync(order);
        var extra = SecondaryOf(order);
        await FailsAsync(extra);
        Assert.That(await TestSystem.OrderStatusAsync(order), Is.EqualTo(OrderStatus.NeedsAttention));
        Assert.That(await TestSystem.StatusAsync(order, Step.Name), Is.EqualTo(StepStatus.Failed));

        await _process.Committer.CommitAsync(extra);
        Assert.That(await TestSystem.OrderStatusAsync(order), Is.EqualTo(OrderStatus.Processing));
        Assert.That(await TestSystem.StatusAsync(order, Step.Name), Is.EqualTo(StepStatus.Done));
    }

    [Test]
    public async Task A_step_that_is_done_after_its_secondary_effect_was_dead_lettered_does_not_hide_that()
    {
        var order = await TestSystem.StoreAsync();
        var extra = SecondaryOf(order);
        await FailsAsync(extra);

        await DoneAsync(order);
        Assert.That(await TestSystem.OrderStatusAsync(order), Is.EqualTo(OrderStatus.NeedsAttention));
        Assert.That(await TestSystem.StatusAsync(order, Step.Name), Is.EqualTo(StepStatus.Failed));

        await _process.Committer.CommitAsync(extra);
        Assert.That(await TestSystem.OrderStatusAsync(order), Is.EqualTo(OrderStatus.Processing));
        Assert.That(await TestSystem.StatusAsync(order, Step.Name), Is.EqualTo(StepStatus.Done));
    }

    [Test]
    public async Task A_step_and_its_dead_lettered_secondary_effect_that_are_done_together_leave_nothing_dead_lettered()
    {
        var order = await TestSystem.StoreAsync();
        var extra = SecondaryOf(order);
        await FailsAsync(extra);

        // One commit, as a rule; in whichever order otherwise.
        await Task.WhenAll(_process.Committer.CommitAsync(extra), DoneAsync(order));
        Assert.That(await TestSystem.OrderStatusAsync(order), Is.EqualTo(OrderStatus.Processing));
        Assert.That(await TestSystem.StatusAsync(order, Step.Name), Is.EqualTo(StepStatus.Done));
    }

    [Test]
    public async Task A_copy_that_failed_once_leaves_nothing_behind_when_another_has_done_the_effect(
        [Values] bool undoes
    )
    {
        var order = await TestSystem.StoreAsync();
        if (!undoes)
            await DoneAsync(order);
        var (first, second) = undoes ? (UndoOf(order), UndoOf(order)) : (SecondaryOf(order), SecondaryOf(order));
        await _process.Committer.CommitAsync(first);
        await _process.Failures.RecordAsync(second, new TimeoutException("Not now."), TimeSpan.FromSeconds(2));
        Assert.That(await TestSystem.StatusAsync(order, Step.Name), Is.EqualTo(StepStatus.Retrying));

        Assert.That(await _process.Committer.CommitAsync(second), Is.False, "whether the copy was applied");
        Assert.That(
            await TestSystem.StatusAsync(order, Step.Name),
            Is.EqualTo(undoes ? StepStatus.Cancelled : StepStatus.Done)
        );
    }

    [Test]
    public async Task An_secondary_effect_that_succeeds_does_not_hide_that_its_step_is_dead_lettered()
    {
        var order = await TestSystem.StoreAsync();
        await FailsAsync(OneProcess.Run(Step, order));

        await _process.Committer.CommitAsync(SecondaryOf(order));
        Assert.That(await TestSystem.OrderStatusAsync(order), Is.EqualTo(OrderStatus.NeedsAttention));
        Assert.That(await TestSystem.StatusAsync(order, Step.Name), Is.EqualTo(StepStatus.Failed));
    }

    [Test]
    public async Task An_secondary_effect_does_not_complete_an_order()
    {
        var bit = await TestSystem.Database.ScalarAsync<int>(
            "select bit from step_catalogue where step = $1",
            Step.Name
        );
        var order = (await TestSystem.StoreAsync([SampleOrders.New(bit)]))[0];
        await _process.Committer.CommitAsync(SecondaryOf(order));
        Assert.That(await TestSystem.OrderStatusAsync(order), Is.EqualTo(OrderStatus.Accepted));

        await DoneAsync(order);
        Assert.That(await TestSystem.OrderStatusAsync(order), Is.EqualTo(OrderStatus.Completed));
    }

    private Task FailsAsync(StepRun run) =>
        _process.Failures.RecordAsync(
            run,
            new InvalidOperationException("No."),
            nextAttempt: null,
            OneProcess.DeadLetterOf(run)
        );

    private Task<bool> DoneAsync(Guid order) => _process.Committer.CommitAsync(OneProcess.Run(Step, order));

    private static StepRun UndoOf(Guid order)
    {
        var run = OneProcess.Run(Step, order);
        run.Compensate();
        return run;
    }

    private static StepRun SecondaryOf(Guid order, EffectClaims? claims = null) =>
        new(Step, Guid.NewGuid(), order, Guid.NewGuid(), 1, claims) { Effect = "extra", IsSecondary = true };
}
