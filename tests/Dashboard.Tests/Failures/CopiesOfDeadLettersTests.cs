using System.Text;
using Orders.Testing.Servers;
using QueueWorkers.DeadLetters;

namespace Orders.Dashboard.Tests.Failures;

/// <summary>
/// A relay that was not sure of a publish sends a second copy of a message. One copy may be dead-lettered although the
/// other is done, or both may be: operators see no failure in the first case, and one in the second.
/// </summary>
internal sealed class CopiesOfDeadLettersTests : ShopFixture
{
    private RunningHost _poster = null!;

    [OneTimeSetUp]
    public async Task StartPosterAsync() => _poster = await TestSystem.StartAsync("");

    [Test]
    public async Task A_dead_letter_whose_work_another_copy_does_later_leaves_its_queue()
    {
        var messages = await PostedAsync(3);
        await DeadLetterAsync(messages);
        await UntilFailuresAsync(messages, FailureState.Failed);

        // The other copy is still in the step's queue.
        await using (await WorkAsync("email"))
            await UntilFailuresAsync(messages, FailureState.Redriven);
        await UntilQueueHoldsAsync(0);
        Assert.That(
            await TestSystem.Database.CountAsync(
                "failures where message_id = any($1) and note like 'Another copy%'",
                messages.Keys.ToArray()
            ),
            Is.EqualTo(messages.Count),
            "failures that say why"
        );
    }

    [Test]
    public async Task Of_two_copies_in_a_dead_letter_queue_one_is_left([Values] bool indexedBetween)
    {
        var messages = await PostedAsync(3);
        await DeadLetterAsync(messages);
        if (indexedBetween)
            await UntilFailuresAsync(messages, FailureState.Failed);
        await DeadLetterAsync(messages);

        await Eventually.That(
            () =>
                TestSystem.Database.CountAsync(
                    $"failures where message_id = any($1) and copies = 2 and state = {FailureState.Failed:D}",
                    messages.Keys.ToArray()
                ),
            Is.EqualTo(messages.Count),
            "failures in two copies",
            TimeSpan.FromMinutes(1)
        );
        await UntilQueueHoldsAsync((uint)messages.Count);
        await using (await WorkAsync("email"))
            await UntilFailuresAsync(messages, FailureState.Redriven);
        await UntilQueueHoldsAsync(0);
    }

    private Task<uint> UntilQueueHoldsAsync(uint count) =>
        Eventually.That(
            () => TestSystem.Broker.CountAsync("email_error"),
            Is.EqualTo(count),
            "messages in email_error",
            TimeSpan.FromMinutes(1)
        );

    private Task<long> UntilFailuresAsync(Dictionary<Guid, byte[]> messages, FailureState state) =>
        Eventually.That(
            () =>
                TestSystem.Database.CountAsync(
                    "failures where message_id = any($1) and state = $2",
                    messages.Keys.ToArray(),
                    (short)state
                ),
            Is.EqualTo(messages.Count),
            $"failures that are {state}",
            TimeSpan.FromMinutes(1)
        );

    // The messages of new orders that wait for the step: id and body.
    private async Task<Dictionary<Guid, byte[]>> PostedAsync(int count)
    {
        await PostAsync(_poster, await OrdersAsync(count));
        await Eventually.That(
            () => TestSystem.Broker.CountAsync("email"),
            Is.EqualTo((uint)count),
            "messages in email",
            TimeSpan.FromMinutes(1)
        );
        return (await TestSystem.Broker.PeekAllAsync("email")).ToDictionary(
            m => Guid.Parse(m.BasicProperties.MessageId!),
            m => m.Body.ToArray()
        );
    }

    private async Task DeadLetterAsync(Dictionary<Guid, byte[]> messages)
    {
        foreach (var (id, body) in messages)
        {
            await TestSystem.Broker.PublishBytesAsync(
                "email_error",
                body,
                new ByHand
                {
                    Id = id,
                    Headers = new()
                    {
                        ["MT-Reason"] = Encoding.UTF8.GetBytes("fault"),
                        ["MT-Fault-ExceptionType"] = Encoding.UTF8.GetBytes("System.IO.IOException"),
                        ["MT-Fault-Message"] = Encoding.UTF8.GetBytes("550 5.7.1 refused"),
                    },
                }
            );
        }
    }
}
