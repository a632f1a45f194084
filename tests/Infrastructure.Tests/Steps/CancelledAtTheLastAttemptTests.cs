using Orders.Infrastructure.Steps;
using Orders.Testing;
using Orders.Testing.Zoo;

namespace Orders.Infrastructure.Tests.Steps;

/// <summary>
/// A run that fails for good because its subject was cancelled (a pick list that comes after its recall), in a process that has not heard of the cancellation: nobody is bothered with it.
/// The process does not hear of it here, because it reads the cancellations of the last two hours only.
/// </summary>
public sealed class CancelledAtTheLastAttemptTests() : InAZoo("hurried")
{
    [Test]
    public async Task A_last_attempt_of_what_was_cancelled_is_left_out_and_not_parked()
    {
        var order = await System.StoreAsync();
        await System.Database.ExecuteAsync("insert into cancelled_subjects (subject_id, at) values ($1, now() - interval '3 hours')", order);
        Script.For(order, (_, _) => throw new PermanentFaultException("It was recalled."));
        await DeliverAsync("hurried", new Feed(order), new() { CorrelationId = order });

        await System.UntilAsync(order, "hurried", StepStatus.Cancelled);
        await Eventually.That(() => System.Broker.CountAsync("hurried"), Is.Zero, "messages that wait");
        Assert.That(Script.RunsOf(order), Is.EqualTo(1), "runs");
        Assert.That(await System.Broker.CountAsync("hurried_error") + await System.Broker.CountAsync("hurried_skipped"), Is.Zero, "parked messages");
        Assert.That(await System.Database.CountAsync("failures where subject_id = $1", order), Is.Zero, "rows of the index of failures");
    }

    [Test]
    public async Task One_of_what_was_not_is_parked_as_ever()
    {
        var order = await System.StoreAsync();
        Script.For(order, (_, _) => throw new PermanentFaultException("No."));
        await DeliverAsync("hurried", new Feed(order), new() { CorrelationId = order });

        await System.UntilAsync(order, "hurried", StepStatus.Parked);
        await Eventually.That(() => ParkedAsync("hurried", order), Is.EqualTo(1), "parked messages");
    }
}
