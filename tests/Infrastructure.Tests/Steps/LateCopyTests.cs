using Orders.Testing;
using Orders.Testing.Zoo;
using QueueWorkers.Steps;

namespace Orders.Infrastructure.Tests.Steps;

/// <summary>
/// A copy of a message that fails after the step was done by another copy: it may end in <c>_error</c>, but the order
/// has what it needs and nobody has to look.
/// </summary>
public sealed class LateCopyTests : SystemFixture
{
    private static readonly StepPolicy Step = HurriedStep.Policy;

    private OneProcess _process = null!;

    [OneTimeSetUp]
    public void Start() => _process = new OneProcess(TestSystem);

    [OneTimeTearDown]
    public ValueTask Stop() => _process.DisposeAsync();

    [TestCase(true)]
    [TestCase(false)]
    public async Task A_late_copy_that_fails_leaves_a_step_that_is_done_alone(bool deadLettered)
    {
        var order = await TestSystem.StoreAsync();
        var run = OneProcess.Run(Step, order);
        await _process.Committer.CommitAsync(run);
        var status = await TestSystem.OrderStatusAsync(order);

        await _process.Failures.RecordAsync(
            run,
            new InvalidOperationException("No."),
            deadLettered ? null : TimeSpan.FromSeconds(2)
        );

        Assert.That(await TestSystem.StatusAsync(order, Step.Name), Is.EqualTo(StepStatus.Done));
        Assert.That(
            await TestSystem.OrderStatusAsync(order),
            Is.EqualTo(status).And.Not.EqualTo(OrderStatus.NeedsAttention)
        );
        Assert.That(
            await TestSystem.AttemptsAsync(order, Step.Name),
            Is.EqualTo(1),
            "attempts of the run that was committed"
        );
    }
}
