using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Orders.Infrastructure.Tests.Steps;
using Orders.Testing;
using Orders.Testing.Zoo;
using QueueWorkers.Steps;

namespace Orders.Infrastructure.Tests.Poison;

/// <summary>
/// A failed message whose <c>_error</c> queue takes nothing: MassTransit gives it back to its queue, which delivers it
/// again at once.
/// </summary>
public sealed class HotLoopTests() : ZooFixture("hurried")
{
    private const string Queue = "hurried_error";

    [Test]
    public async Task It_circles_at_most_once_a_second_and_raises_an_alert_until_the_queue_takes_it()
    {
        // The policy of dead-lettered messages, and a limit that the one message in it has reached.
        var full = new Dictionary<string, object>
        {
            ["delivery-limit"] = -1,
            ["max-length"] = 1,
            ["overflow"] = "reject-publish",
        };
        await TestSystem.Broker.Management.PutPolicyAsync(
            TestSystem.Broker.Options.VirtualHost,
            "queue-workers-dead-letters",
            $"^{Queue}$",
            "quorum_queues",
            full,
            CancellationToken.None
        );
        await Eventually.Is(async () => await FillAsync(), "the queue refuses messages");
        var deadLettered = await TestSystem.Broker.CountAsync(Queue);

        var subject = Guid.NewGuid();
        Script.For(subject, (_, _) => throw new PermanentFaultException("Never."));
        var watch = Stopwatch.StartNew();
        await DeliverAsync("hurried", new Feed(subject));
        await Eventually.That(() => Script.RunsOf(subject), Is.GreaterThanOrEqualTo(4), "runs of the circling message");

        // The first attempt, and then one for each second that has begun; the brake holds a run back after it, so one
        // more may have run.
        Assert.That(
            Script.RunsOf(subject),
            Is.LessThanOrEqualTo((int)watch.Elapsed.TotalSeconds + 2),
            $"runs in {watch.Elapsed}"
        );
        Assert.That(
            Host.Log.Lines.Count(l =>
                l.Level == LogLevel.Critical
                && l.Line.Contains("ALERT: a message could not be dead-lettered", StringComparison.Ordinal)
                && l.Line.Contains(Queue, StringComparison.Ordinal)
            ),
            Is.GreaterThanOrEqualTo(3),
            "alerts"
        );

        var other = Guid.NewGuid();
        await DeliverAsync("hurried", new Feed(other));
        await TestSystem.UntilAsync(other, "hurried", StepStatus.Done);

        await TestSystem.Broker.Management.PutPolicyAsync(
            TestSystem.Broker.Options.VirtualHost,
            "queue-workers-dead-letters",
            $"^{Queue}$",
            "quorum_queues",
            new Dictionary<string, object> { ["delivery-limit"] = -1 },
            CancellationToken.None
        );
        await Eventually.That(
            () => TestSystem.Broker.CountAsync(Queue),
            Is.EqualTo(deadLettered + 1),
            "dead-lettered messages"
        );
    }

    // A quorum queue takes a few more than its limit before it begins to refuse.
    private async Task<bool> FillAsync()
    {
        try
        {
            await TestSystem.Broker.PublishToAsync(Queue, new Feed(Guid.NewGuid()));
            return false;
        }
        catch (RabbitMQ.Client.Exceptions.PublishException)
        {
            return true;
        }
    }
}
