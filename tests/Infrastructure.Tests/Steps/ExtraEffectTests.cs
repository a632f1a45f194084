using Orders.Infrastructure.Orders;
using Orders.Infrastructure.Steps;
using Orders.Testing;
using Orders.Testing.Zoo;

namespace Orders.Infrastructure.Tests.Steps;

/// <summary>An effect that the subject's progress does not wait for, such as an apology: it must neither hide nor replace the step's own state.</summary>
public sealed class ExtraEffectTests : InASystem
{
    private static readonly StepPolicy Step = HurriedStep.Policy;

    private OneProcess _process = null!;

    [OneTimeSetUp]
    public void Start() => _process = new OneProcess(System);

    [OneTimeTearDown]
    public ValueTask Stop() => _process.DisposeAsync();

    [Test]
    public async Task An_extra_effect_that_begins_leaves_the_status_of_its_step_alone()
    {
        var order = await System.StoreAsync();
        await DoneAsync(order);
        var extra = ExtraOf(order, new EffectClaims(System.Database.Source));
        await extra.ClaimAsync(TimeSpan.FromSeconds(30), null, CancellationToken.None);
        Assert.That(await System.StatusAsync(order, Step.Name), Is.EqualTo(StepStatus.Done), "during the extra effect");

        await _process.Committer.CommitAsync(extra);
        Assert.That(await System.StatusAsync(order, Step.Name), Is.EqualTo(StepStatus.Done));
        Assert.That(await System.EffectsAsync(order), Is.EqualTo(2));
    }

    [Test]
    public async Task A_failed_extra_effect_is_shown_until_it_succeeds()
    {
        var order = await System.StoreAsync();
        await DoneAsync(order);
        var extra = ExtraOf(order);
        await _process.Failures.RecordAsync(extra, new InvalidOperationException("No."), nextAttempt: null);
        Assert.That(await System.OrderStatusAsync(order), Is.EqualTo(OrderStatus.NeedsAttention));
        Assert.That(await System.StatusAsync(order, Step.Name), Is.EqualTo(StepStatus.Parked));

        await _process.Committer.CommitAsync(extra);
        Assert.That(await System.OrderStatusAsync(order), Is.EqualTo(OrderStatus.Processing));
        Assert.That(await System.StatusAsync(order, Step.Name), Is.EqualTo(StepStatus.Done));
    }

    [Test]
    public async Task A_step_that_is_done_after_its_extra_effect_was_parked_does_not_hide_that()
    {
        var order = await System.StoreAsync();
        var extra = ExtraOf(order);
        await _process.Failures.RecordAsync(extra, new InvalidOperationException("No."), nextAttempt: null);

        await DoneAsync(order);
        Assert.That(await System.OrderStatusAsync(order), Is.EqualTo(OrderStatus.NeedsAttention));
        Assert.That(await System.StatusAsync(order, Step.Name), Is.EqualTo(StepStatus.Parked));

        await _process.Committer.CommitAsync(extra);
        Assert.That(await System.OrderStatusAsync(order), Is.EqualTo(OrderStatus.Processing));
        Assert.That(await System.StatusAsync(order, Step.Name), Is.EqualTo(StepStatus.Done));
    }

    [Test]
    public async Task A_step_and_its_parked_extra_effect_that_are_done_together_leave_nothing_parked()
    {
        var order = await System.StoreAsync();
        var extra = ExtraOf(order);
        await _process.Failures.RecordAsync(extra, new InvalidOperationException("No."), nextAttempt: null);

        // One commit, as a rule; in whichever order otherwise.
        await Task.WhenAll(_process.Committer.CommitAsync(extra), DoneAsync(order));
        Assert.That(await System.OrderStatusAsync(order), Is.EqualTo(OrderStatus.Processing));
        Assert.That(await System.StatusAsync(order, Step.Name), Is.EqualTo(StepStatus.Done));
    }

    [Test]
    public async Task A_copy_that_failed_once_leaves_nothing_behind_when_another_has_done_the_effect([Values] bool undoes)
    {
        var order = await System.StoreAsync();
        if (!undoes)
            await DoneAsync(order);
        var (first, second) = undoes ? (UndoOf(order), UndoOf(order)) : (ExtraOf(order), ExtraOf(order));
        await _process.Committer.CommitAsync(first);
        await _process.Failures.RecordAsync(second, new TimeoutException("Not now."), TimeSpan.FromSeconds(2));
        Assert.That(await System.StatusAsync(order, Step.Name), Is.EqualTo(StepStatus.Retrying));

        Assert.That(await _process.Committer.CommitAsync(second), Is.False, "whether the copy was applied");
        Assert.That(await System.StatusAsync(order, Step.Name), Is.EqualTo(undoes ? StepStatus.Cancelled : StepStatus.Done));
    }

    [Test]
    public async Task An_extra_effect_that_succeeds_does_not_hide_that_its_step_is_parked()
    {
        var order = await System.StoreAsync();
        await _process.Failures.RecordAsync(OneProcess.Run(Step, order), new InvalidOperationException("No."), nextAttempt: null);

        await _process.Committer.CommitAsync(ExtraOf(order));
        Assert.That(await System.OrderStatusAsync(order), Is.EqualTo(OrderStatus.NeedsAttention));
        Assert.That(await System.StatusAsync(order, Step.Name), Is.EqualTo(StepStatus.Parked));
    }

    [Test]
    public async Task An_extra_effect_does_not_complete_an_order()
    {
        var bit = await System.Database.ScalarAsync<int>("select bit from step_catalogue where step = $1", Step.Name);
        var order = (await System.StoreAsync([SampleOrders.New(bit)]))[0];
        await _process.Committer.CommitAsync(ExtraOf(order));
        Assert.That(await System.OrderStatusAsync(order), Is.EqualTo(OrderStatus.Accepted));

        await DoneAsync(order);
        Assert.That(await System.OrderStatusAsync(order), Is.EqualTo(OrderStatus.Completed));
    }

    private Task<bool> DoneAsync(Guid order) => _process.Committer.CommitAsync(OneProcess.Run(Step, order));

    private static StepRun UndoOf(Guid order)
    {
        var run = OneProcess.Run(Step, order);
        run.Compensate();
        return run;
    }

    private static StepRun ExtraOf(Guid order, EffectClaims? claims = null) =>
        new(Step, Guid.NewGuid(), order, Guid.NewGuid(), 1, claims) { Effect = "extra", CountsAsStep = false };
}
