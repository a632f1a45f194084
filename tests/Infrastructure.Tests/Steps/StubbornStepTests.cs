using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Orders.Testing;
using Orders.Testing.Zoo;
using QueueWorkers.Steps;
using QueueWorkers.Steps.Claims;
using QueueWorkers.Steps.Faults;

namespace Orders.Infrastructure.Tests.Steps;

/// <summary>
/// Steps that ignore their token: they are reported, they block nobody, and what they still do is never written.
/// </summary>
public sealed class StubbornStepTests() : ZooFixture("hurried")
{
    // The time limit of 30 s ends after a second: a busy machine has begun the step by then.
    private const double TimeFactor = 30;

    private readonly FasterTime _time = new(TimeFactor);

    protected override void Configure(IServiceCollection services) =>
        services.Replace(ServiceDescriptor.Singleton<TimeProvider>(_time));

    [SetUp]
    public void BeInAHurry() => _time.Factor = TimeFactor;

    [Test]
    public async Task A_step_that_waits_for_ever_is_left_to_itself_and_its_late_end_is_not_written()
    {
        var (subject, gate) = (Guid.NewGuid(), new TaskCompletionSource());
        Script.For(
            subject,
            (_, run) =>
            {
                TakeTime();
                return run == 1 ? WaitsForSomethingElse(gate.Task) : Task.CompletedTask;
            }
        );
        await DeliverAsync("hurried", new Feed(subject));

        await UntilAbandonedAsync(subject);
        await TestSystem.EventuallyFastForwardingAsync(
            () => TestSystem.StatusAsync(subject, "hurried"),
            Is.EqualTo(StepStatus.Done),
            "status of the step"
        );
        Assert.That(
            await TestSystem.LastFaultAsync(subject, "hurried"),
            Does.StartWith(nameof(StepTimeoutException))
                .And.Contain("abandoned")
                .And.Contain(nameof(WaitsForSomethingElse))
        );
        gate.SetResult();
        await Eventually.Is(
            () => Host.Log.Lines.Any(l => l.Line.Contains("its late writes were discarded", StringComparison.Ordinal)),
            "the end of the step is logged"
        );
        Assert.That(await TestSystem.EffectsAsync(subject), Is.EqualTo(1));
        Assert.That(
            await TestSystem.AttemptsAsync(subject, "hurried"),
            Is.EqualTo(2),
            "attempts: the one that came to its end too late is not one more"
        );
    }

    [Test]
    public async Task A_step_that_blocks_its_thread_is_left_to_itself_too()
    {
        var subject = Guid.NewGuid();
        using var gate = new ManualResetEventSlim();
        Script.For(
            subject,
            (_, run) =>
            {
                TakeTime();
                if (run == 1)
                    gate.Wait();
                return Task.CompletedTask;
            }
        );
        await DeliverAsync("hurried", new Feed(subject));

        await UntilAbandonedAsync(subject);
        await TestSystem.EventuallyFastForwardingAsync(
            () => TestSystem.StatusAsync(subject, "hurried"),
            Is.EqualTo(StepStatus.Done),
            "status of the step"
        );
        Assert.That(await TestSystem.LastFaultAsync(subject, "hurried"), Does.Contain("it blocks thread"));
        gate.Set();
    }

    [Test]
    public async Task Stubborn_steps_in_every_slot_do_not_hold_up_the_next_message()
    {
        var gate = new TaskCompletionSource();
        var stubborn = Enumerable.Range(0, HurriedStep.Policy.Concurrency).Select(_ => Guid.NewGuid()).ToArray();
        foreach (var subject in stubborn)
            Script.For(subject, (_, run) => run == 1 ? gate.Task : Task.CompletedTask);
        foreach (var subject in stubborn)
            await DeliverAsync("hurried", new Feed(subject));
        // The first of them may be at its second run when the last one begins.
        await Eventually.Is(() => stubborn.All(s => Script.RunsOf(s) >= 1), "every slot is taken");

        var next = Guid.NewGuid();
        await DeliverAsync("hurried", new Feed(next));
        await TestSystem.UntilAsync(next, "hurried", StepStatus.Done);

        Assert.That(gate.Task.IsCompleted, Is.False, "the stubborn ones were still at it");
        gate.SetResult();
    }

    [Test]
    public async Task One_that_comes_back_too_late_can_claim_nothing()
    {
        var (subject, gate, late) = (
            Guid.NewGuid(),
            new TaskCompletionSource(),
            new TaskCompletionSource<Exception?>()
        );
        Script.For(
            subject,
            async (context, run) =>
            {
                TakeTime();
                if (run > 1)
                    return;
                await gate.Task;
                try
                {
                    await context.Step().Effect.ClaimAsync(TimeSpan.FromMinutes(1), null, CancellationToken.None);
                    late.SetResult(null);
                }
                catch (StepTimeoutException fault)
                {
                    late.SetResult(fault);
                }
            }
        );
        await DeliverAsync("hurried", new Feed(subject));
        await UntilAbandonedAsync(subject);
        await TestSystem.EventuallyFastForwardingAsync(
            () => TestSystem.StatusAsync(subject, "hurried"),
            Is.EqualTo(StepStatus.Done),
            "status of the step"
        );
        gate.SetResult();

        Assert.That(await late.Task.WaitAsync(TimeSpan.FromSeconds(30)), Is.TypeOf<StepTimeoutException>());
    }

    // Its claim waits in the queue of its process while the database stands still.
    [Test]
    public async Task One_that_is_abandoned_before_its_claim_is_committed_is_not_granted_it()
    {
        await using var stall = await ClaimStall.BeginAsync(TestSystem.Database);
        Script.For(stall.Subject, async (context, _) => await ClaimAsync(context));
        await DeliverAsync("hurried", new Feed(stall.Subject));
        await stall.IsMetAsync();
        var (subject, late) = (Guid.NewGuid(), new TaskCompletionSource<Task<EffectClaim>>());
        Script.For(
            subject,
            async (context, run) =>
            {
                var claim = ClaimAsync(context);
                if (run == 1)
                    late.SetResult(claim);
                Assert.That(await claim, Is.EqualTo(EffectClaim.Granted));
            }
        );
        await DeliverAsync("hurried", new Feed(subject));
        var claim = await late.Task;
        await Eventually.Is(
            () =>
                Host.Log.Lines.Any(l =>
                    l.Line.Contains("was abandoned", StringComparison.Ordinal)
                    && l.Line.Contains($"{subject}", StringComparison.Ordinal)
                ),
            "the run is abandoned"
        );
        _time.Factor = 1;
        await stall.EndAsync();

        Assert.That(() => claim, Throws.TypeOf<StepTimeoutException>());
        await TestSystem.EventuallyFastForwardingAsync(
            () => TestSystem.StatusAsync(subject, "hurried"),
            Is.EqualTo(StepStatus.Done),
            "status of the step"
        );
        Assert.That(Script.RunsOf(subject), Is.EqualTo(2), "runs: the second one waits for no lease");
    }

    private static Task<EffectClaim> ClaimAsync(ConsumeContext context) =>
        context.Step().Effect.ClaimAsync(TimeSpan.FromMinutes(1), null, CancellationToken.None);

    // The limit of the run that asks is set. The next one is not to be judged by the clock: it has all of its 30 s.
    private void TakeTime() => _time.Factor = 1;

    private Task UntilAbandonedAsync(Guid subject) => TestSystem.UntilAsync(subject, "hurried", StepStatus.Retrying);

    private static async Task WaitsForSomethingElse(Task other) => await other;
}
