using Orders.Testing;
using Orders.Testing.Zoo;
using QueueWorkers.Steps;

namespace Orders.Infrastructure.Tests.Steps;

/// <summary>
/// A run that fails for good because its subject was cancelled (a pick list that comes after its recall), in a process
/// that has not heard of the cancellation: nobody is bothered with it.
/// The process does not hear of it here, because it reads the cancellations of the last two hours only.
/// </summary>
public sealed class CancelledAtTheLastAttemptTests() : ZooFixture("hurried")
{
    [Test]
    public async Task A_last_attempt_of_what_was_cancelled_is_left_out_and_not_dead_lettered()
    {
        var order = await TestSystem.StoreAsync();
        await TestSystem.Database.ExecuteAsync(
            "insert into cancelled_subjects (subject_id, at) values ($1, now() - interval '3 hours')",
            order
        );
        Script.For(order, (_, _) => throw new PermanentFaultException("It was recalled."));
        await DeliverAsync("hurried", new Feed(order), new() { CorrelationId = order });

        await TestSystem.UntilAsync(order, "hurried", StepStatus.Cancelled);
        await Eventually.That(() => TestSystem.Broker.CountAsync("hurried"), Is.Zero, "messages that wait");
        Assert.That(Script.RunsOf(order), Is.EqualTo(1), "runs");
        // Of this order: the other test dead-letters one.
        Assert.That(await DeadLetteredAsync("hurried", order), Is.Zero, "dead-lettered messages");
        Assert.That(await TestSystem.Broker.CountAsync("hurried_skipped"), Is.Zero, "skipped messages");
        Assert.That(
            await TestSystem.Database.CountAsync("failures where subject_id = $1", order),
            Is.Zero,
            "rows of the index of failures"
        );
    }

    [Test]
    public async Task One_of_what_was_not_is_dead_lettered_as_ever()
    {
        var order = await TestSystem.StoreAsync();
        Script.For(order, (_, _) => throw new PermanentFaultException("No."));
        await DeliverAsync("hurried", new Feed(order), new() { CorrelationId = order });

        await TestSystem.UntilAsync(order, "hurried", StepStatus.Failed);
        await Eventually.That(() => DeadLetteredAsync("hurried", order), Is.EqualTo(1), "dead-lettered messages");
    }
}
