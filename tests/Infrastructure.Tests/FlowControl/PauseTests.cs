using System.Collections.Concurrent;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Orders.Testing;

namespace Orders.Infrastructure.Tests.FlowControl;

/// <summary>
/// A paused step begins nothing, in no replica, until it is resumed; nothing is lost, doubled or counted as an attempt
/// by it.
/// </summary>
public sealed class PauseTests : WithReplicas
{
    private const int Messages = 600;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(4);
    private static readonly int HurriedStepConcurrency = Testing.Zoo.HurriedStep.Policy.Concurrency;

    [Test]
    public async Task Three_replicas_stop_within_two_seconds_end_what_is_running_and_clear_the_backlog_after_the_resume()
    {
        // From the hundredth on a run lasts until the gates are closed: the pause comes before the end, however late.
        var closed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await StartAsync(
            3,
            "patient",
            (_, _) =>
                Begun.Count > 100 ? closed.Task : Task.Delay(TimeSpan.FromMilliseconds(200), CancellationToken.None)
        );
        var delivering = DeliverAsync("patient", Messages);
        await Eventually.That(() => Begun.Count, Is.GreaterThan(100), "runs begun");

        await Controls.PauseAsync("patient", Because("a test"));
        var paused = DateTimeOffset.UtcNow;
        await Eventually.Is(
            () => Replicas.All(r => GateOf(r, "patient").Limit == 0),
            "every gate is closed",
            TakesEffectWithin
        );
        closed.SetResult();
        await delivering;
        await Eventually.Is(() => Replicas.All(r => GateOf(r, "patient").Running == 0), "every run has ended");
        Assert.That(Begun.Count, Is.LessThan(Messages), "the pause came before the end, or this test shows nothing");
        var atRest = Begun.Count;
        await UntilDoneAsync("patient", atRest);
        await Eventually.That(
            () => TestSystem.Broker.CountAsync("patient"),
            Is.EqualTo((uint)(Messages - atRest)),
            "messages waiting in the queue"
        );
        await Eventually.That(() => DateTimeOffset.UtcNow - paused, Is.GreaterThan(Pause), "time since the pause");
        Assert.That(Begun, Has.Count.EqualTo(atRest), "runs: none began after the gates were closed");

        await Controls.ResumeAsync("patient", Because("the test goes on"));
        await UntilDoneAsync("patient", Messages);
        Assert.That(Begun.Select(b => b.Subject).Distinct().Count(), Is.EqualTo(Messages));
        Assert.That(Begun, Has.Count.EqualTo(Messages), "runs: none was begun twice");
        Assert.That(
            await TestSystem.Database.CountAsync("step_runs where attempts <> 1"),
            Is.Zero,
            "attempts used up by pausing"
        );
        Assert.That(await TestSystem.Broker.CountAsync("patient_error"), Is.Zero);
    }

    [Test]
    public async Task A_process_that_starts_while_the_step_is_paused_begins_nothing()
    {
        await Controls.PauseAsync("hurried", Because("a test"));
        await DeliverAsync("hurried", 20);
        await StartAsync(1, "hurried", (_, _) => Task.CompletedTask);
        var gate = GateOf(Replicas[0], "hurried");
        await Eventually.Is(() => gate.Known.IsCompleted, "the first poll");
        Assert.That(gate.Limit, Is.Zero);
        await Eventually.That(
            () => TestSystem.Broker.CountAsync("hurried"),
            Is.EqualTo(20u),
            "messages waiting in the queue, the one that met the closed gate among them"
        );
        Assert.That(Begun, Is.Empty);

        await Controls.ResumeAsync("hurried", Because("the test goes on"));
        await Eventually.That(() => Begun.Select(b => b.Subject).Distinct().Count(), Is.EqualTo(20), "runs");
        Assert.That(
            await TestSystem.Database.CountAsync("step_runs where step = 'hurried' and attempts <> 1"),
            Is.Zero,
            "attempts used up by waiting"
        );
    }

    [Test]
    public async Task What_is_running_finishes_however_long_it_takes()
    {
        // What the bus would give it to end, and what a run was cancelled by: the pause is none of the bus's business.
        var ofTheBus = TimeSpan.FromSeconds(1);
        var (release, tokens) = (new TaskCompletionSource(), new ConcurrentBag<CancellationToken>());
        await StartAsync(
            1,
            "hurried",
            (_, token) => AndRemember(token),
            services: s => s.Configure<MassTransitHostOptions>(o => o.ConsumerStopTimeout = ofTheBus)
        );
        var subjects = await DeliverAsync("hurried", 20);
        await Eventually.That(() => Begun.Count, Is.EqualTo(HurriedStepConcurrency), "runs begun");

        await Controls.PauseAsync("hurried", Because("a test"));
        var gate = GateOf(Replicas[0], "hurried");
        await Eventually.Is(() => gate.Limit == 0, "the gate is closed");
        var closed = DateTimeOffset.UtcNow;
        await Eventually.That(
            () => DateTimeOffset.UtcNow - closed,
            Is.GreaterThan(ofTheBus * 3),
            "time since the pause"
        );
        Assert.That(tokens.Any(t => t.IsCancellationRequested), Is.False, "a token was cancelled by the pause");

        release.SetResult();
        await UntilDoneAsync("hurried", HurriedStepConcurrency);
        await Eventually.That(
            () => TestSystem.Broker.CountAsync("hurried"),
            Is.EqualTo((uint)(20 - HurriedStepConcurrency)),
            "messages that wait in the queue"
        );
        Assert.That(Begun, Has.Count.EqualTo(HurriedStepConcurrency), "runs: none more, and none again");

        await Controls.ResumeAsync("hurried", Because("the test goes on"));
        await UntilDoneAsync("hurried", 20);
        Assert.That(Begun.Select(b => b.Subject), Is.EquivalentTo(subjects), "runs: each once");
        Assert.That(
            await TestSystem.Database.CountAsync("step_runs where attempts <> 1"),
            Is.Zero,
            "attempts used up by pausing"
        );

        Task AndRemember(CancellationToken token)
        {
            tokens.Add(token);
            return release.Task;
        }
    }

    [Test]
    public void A_step_that_does_not_exist_cannot_be_paused() =>
        Assert.That(
            () => Controls.PauseAsync("emial", Because("a test")),
            Throws.TypeOf<QueueWorkers.FlowControl.UnknownStepException>().With.Message.Contains("emial")
        );
}
