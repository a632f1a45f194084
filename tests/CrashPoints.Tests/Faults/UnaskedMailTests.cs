using Orders.Contracts;
using Orders.CrashPoints.Tests.Lanes;
using Orders.OutsideWorld;
using Orders.OutsideWorld.Mails;
using Orders.Testing;
using Orders.Testing.Servers;
using Orders.Workers;
using QueueWorkers.Idempotency;
using QueueWorkers.Steps;

namespace Orders.CrashPoints.Tests.Faults;

/// <summary>
/// A mail server that nobody can ask afterwards (issue 15, 8): only a process that dies between its claim, right before
/// the final dot, and its commit leaves a mail that a person has to decide on.
/// </summary>
[Category("Long")]
public sealed class UnaskedMailTests
{
    [TestCase("email.before_send=kill@1", StepStatus.Done, 1)]
    // The text is out, the final dot is not, and nothing is claimed.
    [TestCase("steps.before_claim=kill@1", StepStatus.Done, 1)]
    // The claim was committed and its answer lost: the process lives, and knows that it has not sent the dot.
    [TestCase("steps.after_claim=timeout@1", StepStatus.Done, 1)]
    [TestCase("email.before_dot=kill@1", StepStatus.Uncertain, 0)]
    [TestCase("email.after_send=kill@1", StepStatus.Uncertain, 1)]
    public async Task Only_a_death_after_the_claim_leaves_an_uncertain_mail(string plan, StepStatus status, int mails)
    {
        await using var world = await OutsideWorldHost.StartAsync();
        await using var system = await OrdersSystem.CreateAsync(Steps.Catalogue);
        await using var worker = new HostProcess(
            "Orders.Workers",
            system.Settings(
                ("Workers:Steps", "email"),
                ("Email:Smtp:Host", "127.0.0.1"),
                ("Email:Smtp:Port", $"{world.SmtpPort}"),
                ("Email:Smtp:Security", "None"),
                ("Email:From", "Orders <orders@orders.example>"),
                ("Email:SendTimeout", "00:00:02")
            )
        );
        await worker.UntilReadyAsync();
        var starts = worker.Starts;
        await worker.ArmAsync(plan);
        var order = await system.StoreAsync();
        await system.Broker.PublishToAsync(
            "email",
            new OrderAccepted(order, false, DateTimeOffset.UtcNow),
            new ByHand { CorrelationId = order }
        );
        await Eventually.Is(() => worker.HasFired(plan.Split('=')[0]), $"'{plan}' fires");
        if (plan.Contains("kill", StringComparison.Ordinal))
        {
            await worker.UntilReplacedAsync(starts);
            await system.Database.ExecuteAsync(
                $"update effects set lease_until = now() where state = {EffectState.Pending:D}"
            );
        }

        await system.EventuallyFastForwardingAsync(
            () => system.StatusAsync(order, "email"),
            Is.EqualTo(status),
            "status of the step",
            TimeSpan.FromSeconds(60)
        );
        Assert.That(world.Mails.Find(new MailQuery()), Has.Count.EqualTo(mails), "mails sent");
    }
}
