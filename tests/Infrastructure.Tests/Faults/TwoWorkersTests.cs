using Orders.Infrastructure.Tests.Steps;
using Orders.Testing;
using Orders.Testing.Servers;
using Orders.Testing.Zoo;
using QueueWorkers.Idempotency;
using QueueWorkers.Steps;

namespace Orders.Infrastructure.Tests.Faults;

/// <summary>
/// The same message in two workers at the same time: one has the effect, the other drops its copy at once.
/// </summary>
public sealed class TwoWorkersTests() : ZooFixture("mother,careful")
{
    private const int Rounds = 200;

    [TestCase("mother")]
    [TestCase("careful")]
    public async Task Two_hundred_times_one_of_two_workers_has_the_effect(string step)
    {
        await using var other = await StartAnotherAsync();
        var listener = await TestSystem.Broker.ListenAsync<Born>();
        var subjects = Enumerable.Range(0, Rounds).Select(_ => Guid.NewGuid()).ToArray();
        foreach (var subject in subjects)
        {
            // Both run before either can commit; with two hosts on one queue the copies mostly go one to each.
            var both = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            Script.For(
                subject,
                (_, run) =>
                {
                    if (run == 2)
                        both.TrySetResult();
                    return both.Task;
                }
            );
            var message = new ByHand();
            await Task.WhenAll(
                DeliverAsync(step, new Feed(subject), message),
                DeliverAsync(step, new Feed(subject), message)
            );
        }

        await TestSystem.EventuallyFastForwardingAsync(
            () =>
                TestSystem.Database.CountAsync(
                    "step_runs where step = $1 and status = $2",
                    step,
                    (short)StepStatus.Done
                ),
            Is.EqualTo(Rounds),
            "steps that are done",
            TimeSpan.FromSeconds(60)
        );
        // What was deferred because a twin held the lease has to come again and be dropped.
        await TestSystem.EventuallyFastForwardingAsync(
            () => TestSystem.Database.CountAsync("outbox"),
            Is.Zero,
            "rows in the outbox"
        );
        await Eventually.That(() => TestSystem.Broker.CountAsync(step), Is.Zero, "messages in the queue");
        Assert.That(
            await TestSystem.Database.CountAsync($"effects where effect = $1 and state = {EffectState.Done:D}", step),
            Is.EqualTo(Rounds),
            "effects"
        );
        Assert.That(
            await TestSystem.Database.CountAsync("step_runs where step = $1 and attempts <> 1", step),
            Is.Zero,
            "steps that were counted twice"
        );
        Assert.That(await TestSystem.Broker.CountAsync($"{step}_error"), Is.Zero, "dead-lettered");
        if (step == "mother")
            Assert.That(
                (await ArrivedAsync(listener)).Distinct().Count(),
                Is.EqualTo(Rounds),
                "messages that the runs have sent"
            );
    }
}
