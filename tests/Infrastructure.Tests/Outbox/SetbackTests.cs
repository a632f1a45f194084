using QueueWorkers.Outbox;
using QueueWorkers.Outbox.Relaying.Publishing;

namespace Orders.Infrastructure.Tests.Outbox;

/// <summary>
/// How long a row waits after it was not sent. With every try the other queues of its exchange get a copy.
/// </summary>
public sealed class SetbackTests
{
    private static readonly TimeSpan Clock = TimeSpan.FromSeconds(2);

    [TestCase(0, 5)]
    [TestCase(20, 10)]
    [TestCase(60, 30)]
    [TestCase(86_400, 60)]
    public void A_full_or_silent_queue_makes_a_row_wait_longer_each_time_and_costs_no_attempt(
        int ageSeconds,
        int waitSeconds
    )
    {
        var message = new OutboxMessage
        {
            Id = Guid.CreateVersion7(DateTimeOffset.UtcNow.AddSeconds(-ageSeconds)),
            Attempts = 3,
        };
        foreach (var outcome in new[] { PublishOutcome.Full("full"), PublishOutcome.Silent })
        {
            var publishFailure = PublishFailure.Of(message, outcome, maxAttempts: 4);
            Assert.That(
                publishFailure.Wait,
                Is.EqualTo(TimeSpan.FromSeconds(waitSeconds)).Within(Clock),
                outcome.Status.ToString()
            );
            Assert.That((publishFailure.Attempts, publishFailure.Dead), Is.EqualTo(((short)3, false)));
        }
    }

    [Test]
    public void A_row_whose_id_tells_no_time_waits_for_a_lease() =>
        Assert.That(
            PublishFailure.Of(new OutboxMessage { Id = Guid.NewGuid() }, PublishOutcome.Silent, 4).Wait,
            Is.EqualTo(OutboxTable.Lease)
        );
}
