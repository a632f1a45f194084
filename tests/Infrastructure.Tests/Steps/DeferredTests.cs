using Orders.Testing;
using Orders.Testing.Zoo;
using QueueWorkers.Steps;
using QueueWorkers.Steps.Claims;
using QueueWorkers.Steps.Runs;

namespace Orders.Infrastructure.Tests.Steps;

/// <summary>What is nobody's fault is no attempt: the message goes back into the outbox and comes again.</summary>
public sealed class DeferredTests() : ZooFixture("careful")
{
    [Test]
    public async Task A_message_waits_out_the_lease_of_a_dead_run_without_using_an_attempt()
    {
        var subject = Guid.NewGuid();
        var dead = new StepRun(
            CarefulStep.Policy,
            Guid.NewGuid(),
            subject,
            Guid.NewGuid(),
            1,
            new EffectClaims(TestSystem.Database.Source)
        );
        await dead.ClaimAsync(TimeSpan.FromSeconds(2), null, CancellationToken.None);

        await DeliverAsync("careful", new Feed(subject));
        await Eventually.That(() => Script.RunsOf(subject), Is.AtLeast(1), "runs");
        await TestSystem.UntilAsync(subject, "careful", StepStatus.Done);

        Assert.That(await TestSystem.AttemptsAsync(subject, "careful"), Is.EqualTo(1));
        Assert.That(await TestSystem.LastFaultAsync(subject, "careful"), Is.Empty);
        Assert.That(await DeadLetteredAsync("careful", subject), Is.Zero);
        Assert.That(
            await TestSystem.Broker.CountAsync("careful_skipped"),
            Is.Zero,
            "a deferred message was handled, it stands nowhere else"
        );
        Assert.That(Script.RunsOf(subject), Is.LessThanOrEqualTo(4), "runs: it waited, and did not spin");
    }

    // A mail server refuses, and the database breaks off when the claim is taken back.
    [Test]
    public async Task A_run_that_cannot_release_its_claim_fails_with_its_own_fault_and_leaves_no_claim()
    {
        var (subject, released) = (Guid.NewGuid(), new TaskCompletionSource());
        await TestSystem.Database.ExecuteAsync(
            $"""
            create function break_off() returns trigger language plpgsql as
                $do$ begin raise 'gone' using errcode = '57P01'; end $do$;
            create trigger breaks_off before delete on effects
                for each row when (old.subject_id = '{subject}') execute function break_off()
            """
        );
        Script.For(
            subject,
            async (context, run) =>
            {
                if (run > 1)
                    return;
                await context.Step().Effect.ClaimAsync(TimeSpan.FromMinutes(5), "mail-2", CancellationToken.None);
                await context.Step().Effect.ReleaseClaimAsync();
                released.SetResult();
                throw new InvalidOperationException("It was refused.");
            }
        );
        await DeliverAsync("careful", new Feed(subject));
        await released.Task.WaitAsync(TimeSpan.FromSeconds(30));
        await TestSystem.Database.ExecuteAsync("drop trigger breaks_off on effects");

        await TestSystem.UntilAsync(subject, "careful", StepStatus.Done);
        Assert.That(Script.RunsOf(subject), Is.EqualTo(2), "runs: the second one waits for no lease");
        Assert.That(await TestSystem.AttemptsAsync(subject, "careful"), Is.EqualTo(2));
        Assert.That(await TestSystem.LastFaultAsync(subject, "careful"), Does.Contain("It was refused."));
    }

    [Test]
    public async Task A_run_that_gives_up_is_shown_as_uncertain_and_dead_lettered()
    {
        var subject = Guid.NewGuid();
        Script.For(
            subject,
            async (context, _) =>
            {
                await context.Step().Effect.ClaimAsync(TimeSpan.FromSeconds(30), "mail-1", CancellationToken.None);
                await context.Step().Effect.GiveUpAsUncertainAsync("mail-1");
            }
        );
        await DeliverAsync("careful", new Feed(subject));

        await TestSystem.UntilAsync(subject, "careful", StepStatus.Uncertain);
        await Eventually.That(() => DeadLetteredAsync("careful", subject), Is.EqualTo(1), "dead-lettered messages");
        Assert.That(Script.RunsOf(subject), Is.EqualTo(1));
        Assert.That(await TestSystem.LastFaultAsync(subject, "careful"), Does.Contain("mail-1"));
    }
}
