using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Orders.Contracts;
using Orders.Testing.Servers;
using QueueWorkers.DeadLetters;
using QueueWorkers.DeadLetters.Reconciliation;
using QueueWorkers.Outbox;
using QueueWorkers.Steps;

namespace Orders.Dashboard.Tests.Failures;

/// <summary>
/// Dead letters of megabytes: the dashboard indexes and redrives all of them, and holds the bodies
/// of a few at a time.
/// </summary>
internal sealed class LargeDeadLetterTests : ShopFixture
{
    private const int Count = 40;
    private const int Large = 2 * 1024 * 1024;

    protected override IEnumerable<(string Name, string? Value)> Settings =>
        base.Settings.Append(("Failures:FullLook", "00:00:01"));

    [Test]
    public async Task All_are_indexed_and_redriven_a_few_at_a_time()
    {
        var orders = await TestSystem.StoreAsync(await OrdersAsync(Count));
        await DeadLetterLargeAsync(orders);
        await Eventually.That(
            () =>
                TestSystem.Database.CountAsync(
                    $"failures where subject_id = any($1) and state = {FailureState.Failed:D} and octet_length(body) > $2",
                    orders,
                    Large
                ),
            Is.EqualTo(Count),
            "failures in the index, with their bodies",
            TimeSpan.FromMinutes(3)
        );
        Assert.That(
            Dashboard.Services.GetRequiredService<FailureReconciler>().MostBytes,
            Is.InRange((long)Large, (long)QueuePeek.WindowBytes),
            "bytes of bodies in memory at most"
        );

        await using var worker = await WorkAsync("email");
        var made = await PostAsync(
            "/api/redrives",
            OperatorsKey,
            new
            {
                filter = new { step = "email" },
                reason = "They are wanted.",
                start = true,
                canary = 0,
                ratePerSecond = 500,
            }
        );
        Assert.That(made.Status, Is.AnyOf(200, 201, 202), made.Text);
        await Eventually.That(
            () =>
                TestSystem.Database.CountAsync(
                    "step_runs where subject_id = any($1) and step = 'email' and status = $2",
                    orders,
                    (short)StepStatus.Done
                ),
            Is.EqualTo(Count),
            "mails that are done",
            TimeSpan.FromMinutes(3)
        );
        await Eventually.That(() => TestSystem.Broker.CountAsync("email_error"), Is.Zero, "messages in email_error");
        Assert.That(
            Dashboard.Services.GetRequiredService<FailureReconciler>().MostBytes,
            Is.LessThanOrEqualTo((long)QueuePeek.WindowBytes),
            "bytes of bodies in memory at most"
        );
    }

    private async Task DeadLetterLargeAsync(IEnumerable<Guid> orders)
    {
        var padding = new string('x', Large);
        foreach (var order in orders)
        {
            var id = Guid.NewGuid();
            var envelope = JsonNode.Parse(
                Envelope.Write(
                    new OrderAccepted(order, false, DateTimeOffset.UtcNow),
                    id,
                    order,
                    id,
                    null,
                    DateTimeOffset.UtcNow
                )
            )!;
            // In the envelope and not in the message: a member that the contract does not know is no payload to redrive.
            envelope["padding"] = padding;
            await TestSystem.Broker.PublishBytesAsync(
                "email_error",
                Encoding.UTF8.GetBytes(envelope.ToJsonString()),
                new ByHand
                {
                    Id = id,
                    Headers = new()
                    {
                        ["MT-Reason"] = "fault"u8.ToArray(),
                        ["MT-Fault-ExceptionType"] = "System.IO.IOException"u8.ToArray(),
                        ["MT-Fault-Message"] = "No space left on device."u8.ToArray(),
                    },
                }
            );
        }
    }
}
