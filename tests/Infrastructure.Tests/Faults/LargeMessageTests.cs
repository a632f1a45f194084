using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Orders.Testing;
using Orders.Testing.Servers;
using Orders.Testing.Zoo;
using QueueWorkers.Consuming.Limits;
using QueueWorkers.Outbox;
using QueueWorkers.Steps;

namespace Orders.Infrastructure.Tests.Faults;

/// <summary>
/// Messages of megabytes in a worker's queue: what a process holds of them is bounded by bytes, whatever its prefetch
/// is, and what is larger than allowed is dead-lettered unread.
/// </summary>
public sealed class LargeMessageTests : SystemFixture
{
    private const int Large = 2 * 1024 * 1024;
    private const int MostInFlight = 6 * 1024 * 1024;

    [Test]
    public async Task Those_that_are_allowed_are_worked_on_within_the_bytes_in_flight_and_without_an_attempt_lost()
    {
        var subjects = await PublishAsync("patient", 40);
        await using var host = await StartAsync("patient", largest: 4 * 1024 * 1024);
        // Small ones among them are not held up for ever, and lift the bound again.
        var small = Enumerable.Range(0, 200).Select(_ => Guid.NewGuid()).ToArray();
        foreach (var subject in small)
            await TestSystem.Broker.PublishToAsync("patient", new Feed(subject));
        Guid[] all = [.. subjects, .. small];
        await Eventually.That(
            () =>
                TestSystem.Database.CountAsync(
                    "step_runs where subject_id = any($1) and status = $2 and attempts = 1",
                    all,
                    (short)StepStatus.Done
                ),
            Is.EqualTo(all.Length),
            "steps that are done at their first attempt",
            TimeSpan.FromSeconds(60)
        );
        Assert.That(
            host.Services.GetRequiredService<DeliveryLimits>().InFlight.Peak,
            Is.InRange((long)Large, (long)MostInFlight),
            "bytes in flight at most"
        );
        Assert.That(await TestSystem.Broker.CountAsync("patient_error"), Is.Zero, "dead-lettered");
    }

    [Test]
    public async Task A_larger_one_is_dead_lettered_unread_and_says_why()
    {
        var subjects = await PublishAsync("mother", 40);
        await using var host = await StartAsync("mother", largest: 1024 * 1024);
        await Eventually.That(
            () => TestSystem.Broker.CountAsync("mother_error"),
            Is.EqualTo((uint)subjects.Length),
            "messages in mother_error",
            TimeSpan.FromSeconds(60)
        );
        Assert.That(await TestSystem.Database.CountAsync("step_runs where step = 'mother'"), Is.Zero, "runs");
        Assert.That(
            host.Services.GetRequiredService<DeliveryLimits>().InFlight.Peak,
            Is.LessThanOrEqualTo((long)MostInFlight),
            "bytes in flight at most"
        );
        var one = (await TestSystem.Broker.TakeAllAsync("mother_error"))[0];
        Assert.That(one.Body.Length, Is.GreaterThan(Large), "the message is whole");
        Assert.That(
            Encoding.UTF8.GetString((byte[])one.BasicProperties.Headers!["MT-Fault-Message"]!),
            Does.Contain("more than the 1048576")
        );

        // The queue goes on.
        var subject = Guid.NewGuid();
        await TestSystem.Broker.PublishToAsync("mother", new Feed(subject));
        await Eventually.That(
            () => TestSystem.StatusAsync(subject, "mother"),
            Is.EqualTo(StepStatus.Done),
            "status of a small one"
        );
    }

    private Task<RunningHost> StartAsync(string step, int largest) =>
        TestSystem.StartAsync(
            step,
            null,
            ("Consuming:LargestMessage", $"{largest}"),
            ("Consuming:BytesInFlight", $"{MostInFlight}")
        );

    private async Task<Guid[]> PublishAsync(string step, int count)
    {
        var padding = new string('x', Large);
        var subjects = Enumerable.Range(0, count).Select(_ => Guid.NewGuid()).ToArray();
        foreach (var subject in subjects)
        {
            var id = Guid.NewGuid();
            var envelope = JsonNode.Parse(
                Envelope.Write(new Feed(subject), id, null, id, null, DateTimeOffset.UtcNow)
            )!;
            envelope["message"]!["padding"] = padding;
            await TestSystem.Broker.PublishBytesAsync(
                step,
                Encoding.UTF8.GetBytes(envelope.ToJsonString()),
                new ByHand { Id = id }
            );
        }

        return subjects;
    }
}
