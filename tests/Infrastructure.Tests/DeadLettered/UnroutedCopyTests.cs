using Orders.Testing;
using Orders.Testing.Zoo;
using QueueWorkers.DeadLetters;
using QueueWorkers.Messaging;
using QueueWorkers.Outbox;
using QueueWorkers.Steps;

namespace Orders.Infrastructure.Tests.DeadLettered;

/// <summary>
/// A message for several steps of which one has no queue, or refuses the message. The other steps do their part; what
/// is left of the message is for the one that did not get it, and says of no step that it is done.
/// </summary>
public sealed class UnroutedCopyTests : SystemFixture
{
    private static readonly StepPolicy Step = HurriedStep.Policy;

    private OneProcess _process = null!;
    private Redriver _redriver = null!;

    [OneTimeSetUp]
    public void Start() => (_process, _redriver) = (new OneProcess(TestSystem), new Redriver(TestSystem));

    [OneTimeTearDown]
    public async Task Stop()
    {
        await _process.DisposeAsync();
        _redriver.Dispose();
    }

    [Test]
    public async Task An_unrouted_copy_is_redriven_although_another_step_has_done_its_part()
    {
        var run = OneProcess.Run(Step, await TestSystem.StoreAsync());
        var copy = OneProcess.DeadLetterOf(run) with
        {
            Queue = WellKnownQueues.Unrouted,
            Kind = FailureKind.Unrouted,
            Step = null,
        };
        await using (var connection = await TestSystem.Database.Source.OpenConnectionAsync())
            await FailureRows.WriteAsync(connection, [copy], CancellationToken.None);
        await _process.Committer.CommitAsync(run);

        await _redriver.RedriveAsync(run.MessageId);

        Assert.That(await StateAsync(run.MessageId), Is.EqualTo(FailureState.Redriving));
    }

    [Test]
    public async Task A_quarantined_row_is_released_although_another_step_has_done_its_part()
    {
        var order = await TestSystem.StoreAsync();
        var message = OutgoingMessage.Create(new Feed(order), order);
        await using (var connection = await TestSystem.Database.Source.OpenConnectionAsync())
            await OutboxWriter.InsertAsync(connection, [message]);
        await TestSystem.Database.ExecuteAsync(
            "update outbox set dead_at = now(), last_error = 'A queue is full.' where message_id = $1",
            message.MessageId
        );
        await QuarantineIndex.ReconcileAsync(TestSystem.Database.Source, CancellationToken.None);
        await _process.Committer.CommitAsync(OneProcess.Run(Step, order, message.MessageId));

        await _redriver.RedriveAsync(message.MessageId);

        Assert.That(await StateAsync(message.MessageId), Is.EqualTo(FailureState.Redriving));
    }

    private async Task<FailureState> StateAsync(Guid message) =>
        (FailureState)
            await TestSystem.Database.ScalarAsync<short>("select state from failures where message_id = $1", message);
}
