using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;
using MassTransit;
using Orders.Testing;
using Orders.Testing.Servers;
using Orders.Testing.Zoo;
using QueueWorkers.Clocks;
using QueueWorkers.Outbox;
using QueueWorkers.Steps;
using QueueWorkers.Steps.Claims;
using QueueWorkers.Steps.Faults;
using QueueWorkers.Steps.Runs;

namespace Orders.Infrastructure.Tests.Steps;

/// <summary>
/// A message that comes again is the same message: same id, same headers, same trace; after a failed attempt it stands
/// one class behind first attempts.
/// </summary>
public sealed class RedeliveryTests() : ZooFixture("careful,patient")
{
    private sealed record Seen(Guid Id, Guid Subject, byte Priority, string? Tenant);

    [Test]
    public async Task A_redelivered_message_keeps_id_and_headers_and_stands_one_class_behind()
    {
        var subject = Guid.NewGuid();
        var message = Guid.NewGuid();
        var classes = new ConcurrentQueue<short?>();
        var seen = Watch(subject, failing: 3, classes);
        await DeliverAsync("patient", message, Feed(subject));

        await TestSystem.EventuallyFastForwardingAsync(
            () => TestSystem.StatusAsync(subject, "patient"),
            Is.EqualTo(StepStatus.Done),
            "status of the step"
        );
        Assert.That(seen, Has.Count.EqualTo(4));
        var first = new Seen(message, subject, 7, "acme");
        // In memory the message is what it was; the two redeliveries are two runs each.
        Assert.That(seen.Take(2), Is.All.EqualTo(first));
        Assert.That(seen.Skip(2), Is.All.EqualTo(first with { Priority = 6 }));
        Assert.That(classes, Is.All.EqualTo((short?)7), "the class of what follows from it");
    }

    [Test]
    public async Task A_deferred_message_keeps_id_priority_and_headers()
    {
        var subject = Guid.NewGuid();
        var message = Guid.NewGuid();
        var seen = Watch(subject, failing: 0);
        await new StepRun(
            CarefulStep.Policy,
            Guid.NewGuid(),
            subject,
            Guid.NewGuid(),
            1,
            new EffectClaims(TestSystem.Database.Source)
        ).ClaimAsync(TimeSpan.FromHours(1), null, CancellationToken.None);
        await DeliverAsync("careful", message, Feed(subject));
        await Eventually.That(
            () =>
                TestSystem.Database.CountAsync(
                    "outbox where message_id = $1 and due_at > now() + interval '30 minutes'",
                    message
                ),
            Is.EqualTo(1),
            "messages that wait for the lease"
        );
        await TestSystem.Database.ExecuteAsync("update effects set lease_until = now() where subject_id = $1", subject);

        await TestSystem.EventuallyFastForwardingAsync(
            () => TestSystem.StatusAsync(subject, "careful"),
            Is.EqualTo(StepStatus.Done),
            "status of the step"
        );
        Assert.That(seen, Has.Count.GreaterThan(1));
        Assert.That(seen, Is.All.EqualTo(new Seen(message, subject, 7, "acme")));
    }

    [Test]
    public async Task A_message_that_its_step_puts_off_stands_one_class_behind_and_knows_since_when()
    {
        var subject = Guid.NewGuid();
        var (since, classes) = (new ConcurrentQueue<DateTimeOffset?>(), new ConcurrentQueue<(byte, short?)>());
        Script.For(
            subject,
            (context, run) =>
            {
                since.Enqueue(context.DeferredSince());
                var priority = context.ReceiveContext.GetPayload<RabbitMqBasicConsumeContext>().Properties.Priority;
                classes.Enqueue((priority, context.GetPayload<StepRun>().Priority));
                return run switch
                {
                    1 or 2 => throw new StepDeferredException("It is too early.", DatabaseClock.UtcNow),
                    3 => throw new InvalidOperationException("Not yet."),
                    _ => Task.CompletedTask,
                };
            }
        );
        var before = DatabaseClock.UtcNow;
        await DeliverAsync("careful", Guid.NewGuid(), Feed(subject));

        await TestSystem.EventuallyFastForwardingAsync(
            () => TestSystem.StatusAsync(subject, "careful"),
            Is.EqualTo(StepStatus.Done),
            "status of the step"
        );
        var seen = since.ToArray();
        Assert.That(seen, Has.Length.EqualTo(4));
        Assert.That(seen[0], Is.Null, "before");
        // The clock is set right by every quicker answer of the database.
        Assert.That(seen[1], Is.InRange(before.AddSeconds(-1), DatabaseClock.UtcNow));
        Assert.That(seen[2], Is.EqualTo(seen[1]), "the second time");
        Assert.That(seen[3], Is.Null, "after an attempt");
        Assert.That(
            classes,
            Is.EqualTo(new (byte, short?)[] { (7, 7), (6, 7), (6, 7), (6, 7) }),
            "its class, and that of what follows from it"
        );
    }

    [Test]
    public async Task The_subject_is_the_correlation_id_where_there_is_one()
    {
        var subject = Guid.NewGuid();
        await TestSystem.Broker.PublishToAsync(
            "patient",
            new Feed(Guid.NewGuid()),
            new ByHand { CorrelationId = subject }
        );
        await TestSystem.UntilAsync(subject, "patient", StepStatus.Done);
    }

    private ConcurrentQueue<Seen> Watch(Guid subject, int failing, ConcurrentQueue<short?>? classes = null)
    {
        var seen = new ConcurrentQueue<Seen>();
        Script.For(
            subject,
            (context, run) =>
            {
                var priority = context.ReceiveContext.GetPayload<RabbitMqBasicConsumeContext>().Properties.Priority;
                classes?.Enqueue(context.GetPayload<StepRun>().Priority);
                seen.Enqueue(
                    new Seen(
                        context.Step().MessageId,
                        context.Step().SubjectId,
                        priority,
                        context.Headers.Get<string>("tenant")
                    )
                );
                return run <= failing ? throw new InvalidOperationException("Not yet.") : Task.CompletedTask;
            }
        );
        return seen;
    }

    private Task DeliverAsync(string step, Guid message, Feed feed)
    {
        var envelope = JsonNode.Parse(Envelope.Write(feed, message, null, message, null, DateTimeOffset.UtcNow))!;
        envelope["headers"] = new JsonObject { ["tenant"] = "acme" };
        return TestSystem.Broker.PublishBytesAsync(
            step,
            JsonSerializer.SerializeToUtf8Bytes(envelope),
            new ByHand { Id = message, Priority = 7 }
        );
    }

    private static Feed Feed(Guid subject) => new(subject);
}
