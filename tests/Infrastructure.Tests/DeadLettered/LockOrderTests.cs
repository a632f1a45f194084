using Orders.Testing;
using Orders.Testing.Zoo;
using QueueWorkers.DeadLetters;
using QueueWorkers.Idempotency;
using QueueWorkers.Operators;
using QueueWorkers.Outbox.Relaying;
using QueueWorkers.Steps;
using QueueWorkers.Steps.Faults;
using QueueWorkers.Steps.Runs;

namespace Orders.Infrastructure.Tests.DeadLettered;

/// <summary>
/// Those who write about one dead-lettered message lock the same rows in one order, so that none of them is the victim
/// of a deadlock.
/// </summary>
public sealed class LockOrderTests : SystemFixture
{
    private static readonly StepPolicy Step = HurriedStep.Policy;

    private OneProcess _process = null!;
    private RelayFeed _feed = null!;

    [OneTimeSetUp]
    public void Start() => (_process, _feed) = (new OneProcess(TestSystem), new RelayFeed());

    [OneTimeTearDown]
    public async Task Stop()
    {
        await _process.DisposeAsync();
        _feed.Dispose();
    }

    [Test]
    public async Task An_operator_who_settles_an_effect_and_a_copy_that_is_dead_lettered_do_not_wait_in_a_circle()
    {
        var order = await TestSystem.StoreAsync();
        var run = OneProcess.Run(Step, order);
        await TestSystem.Database.ExecuteAsync(
            $"insert into effects (subject_id, effect, message_id, step, state) values ($1, $2, $3, $2, {EffectState.Uncertain:D})",
            order,
            Step.Name,
            run.MessageId
        );
        await DeadLetterAsync();
        var effects = new UncertainEffects(_process.Database, new OrderProgressRecorder(new StepBitmask()), _feed);

        Task settled,
            recorded;
        await using (var held = await HeldRow.ProgressOfAsync(TestSystem, order))
        {
            settled = effects.SettleAsync(
                order,
                Step.Name,
                happened: true,
                new AuditEntry
                {
                    Who = "otto",
                    Role = nameof(OperatorRole.Operator),
                    Action = "settle",
                    Reason = "It is in the mailbox.",
                },
                CancellationToken.None
            );
            await held.UntilAwaitedAsync(1);
            recorded = DeadLetterAsync();
            await held.UntilAwaitedAsync(2);
        }

        await settled;
        await recorded;
        Assert.That(await TestSystem.StatusAsync(order, Step.Name), Is.EqualTo(StepStatus.Done));
        Assert.That(
            await TestSystem.Database.CountAsync(
                $"failures where message_id = $1 and state = {FailureState.Redriven:D}",
                run.MessageId
            ),
            Is.EqualTo(1),
            "failures that are closed"
        );

        Task DeadLetterAsync() =>
            _process.Failures.RecordAsync(
                run,
                new UncertainEffectException(Step.Name, order, null),
                nextAttempt: null,
                OneProcess.DeadLetterOf(run)
            );
    }
}
