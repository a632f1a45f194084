using Microsoft.Extensions.DependencyInjection;
using Orders.Testing;
using Orders.Testing.Servers;
using Orders.Testing.Zoo;
using QueueWorkers;
using QueueWorkers.DeadLetters.Reconciliation;
using QueueWorkers.Steps;
using QueueWorkers.Steps.Runs;

namespace Orders.Infrastructure.Tests.DeadLettered;

/// <summary>
/// The index finds a message in a dead-letter queue that no worker has recorded, while another process does a copy of
/// it.
/// </summary>
public sealed class FoundDeadLetterTests : SystemFixture
{
    private static readonly StepPolicy Step = HurriedStep.Policy;

    private OneProcess _process = null!;
    private ServiceProvider _services = null!;

    [OneTimeSetUp]
    public void Start()
    {
        _process = new OneProcess(TestSystem);
        _services = new ServiceCollection()
            .AddLogging()
            .AddSingleton(_process.Database)
            .AddSingleton(TestSystem.Broker.Options)
            .AddSingleton<IStepProgress>(new OrderProgressRecorder(new StepBitmask()))
            .AddFailures(TestSystem.Configuration(("Failures:Index", "false"), ("Redrive:Run", "false")))
            .BuildServiceProvider();
    }

    [OneTimeTearDown]
    public async Task Stop()
    {
        await _services.DisposeAsync();
        await _process.DisposeAsync();
    }

    [Test]
    public async Task An_apology_that_is_found_while_another_process_commits_it_does_not_ask_for_attention()
    {
        var order = await TestSystem.StoreAsync();
        var apology = OneProcess.Apology(Step, order);
        await TestSystem.Broker.PublishToAsync(
            $"{Step.Name}_error",
            new Feed(order),
            new ByHand { Id = apology.MessageId, CorrelationId = order }
        );
        var reconciler = _services.GetRequiredService<FailureReconciler>();
        Task committed;
        Task<ReconcileResult?> looked;
        await using (var held = await HeldRow.ProgressOfAsync(TestSystem, order))
        {
            committed = _process.Committer.CommitAsync(apology);
            await held.UntilAwaitedAsync(1);
            looked = reconciler.LookAsync($"{Step.Name}_error", CancellationToken.None);
            await held.UntilAwaitedAsync(2);
        }

        await committed;
        Assert.That((await looked)?.Added, Is.EqualTo(1), "messages that were new to the index");
        Assert.That(await TestSystem.StatusAsync(order, Step.Name), Is.EqualTo(StepStatus.Waiting));
        Assert.That(await TestSystem.OrderStatusAsync(order), Is.EqualTo(OrderStatus.Accepted));
    }

    [Test]
    public async Task A_message_that_nobody_has_done_fails_its_step()
    {
        var order = await TestSystem.StoreAsync();
        await TestSystem.Broker.PublishToAsync(
            $"{Step.Name}_error",
            new Feed(order),
            new ByHand { CorrelationId = order }
        );

        await _services.GetRequiredService<FailureReconciler>().LookAsync($"{Step.Name}_error", CancellationToken.None);

        Assert.That(await TestSystem.StatusAsync(order, Step.Name), Is.EqualTo(StepStatus.Failed));
        Assert.That(await TestSystem.OrderStatusAsync(order), Is.EqualTo(OrderStatus.NeedsAttention));
    }
}
