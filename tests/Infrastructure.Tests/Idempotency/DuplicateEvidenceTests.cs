using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Orders.Infrastructure.Intake;
using Orders.Infrastructure.Tests.Steps;
using Orders.Testing;
using Orders.Testing.Servers;
using Orders.Testing.Zoo;
using QueueWorkers.Idempotency;
using QueueWorkers.Outbox;
using QueueWorkers.Steps;

namespace Orders.Infrastructure.Tests.Idempotency;

/// <summary>Every suppressed duplicate is counted, by its cause, and points to the one effect.</summary>
public sealed class DuplicateEvidenceTests() : ZooFixture("hurried,patient")
{
    private DuplicateReader _reader = null!;

    [OneTimeSetUp]
    public void Read() => _reader = new DuplicateReader(TestSystem.Database.Source);

    [Test]
    public async Task A_message_that_was_published_twice()
    {
        var (subject, message) = (Guid.NewGuid(), new ByHand());
        await DeliverAsync("hurried", new Feed(subject), message);
        await DeliverAsync("hurried", new Feed(subject), message);

        var duplicate = await FindAsync(subject, DuplicateCause.DoublePublish);
        Assert.That(
            duplicate,
            Has.Property("MessageId")
                .EqualTo(message.Id)
                .And.Property("Step")
                .EqualTo("hurried")
                .And.Property("Effect")
                .EqualTo("hurried")
        );
        Assert.That(
            duplicate.Proof,
            Has.Property("State").EqualTo(EffectState.Done).And.Property("MessageId").EqualTo(message.Id)
        );
        Assert.That(await TestSystem.EffectsAsync(subject), Is.EqualTo(1));
        Assert.That(
            (await _reader.CountAsync(DateTimeOffset.UtcNow.AddMinutes(-5), CancellationToken.None))
                .Single(t => t.Cause == DuplicateCause.DoublePublish && t.Step == "hurried")
                .Count,
            Is.GreaterThanOrEqualTo(1)
        );
    }

    [Test]
    public async Task Another_message_for_the_same_effect()
    {
        var (subject, first) = (Guid.NewGuid(), new ByHand());
        await DeliverAsync("hurried", new Feed(subject), first);
        await TestSystem.UntilAsync(subject, "hurried", StepStatus.Done);
        await DeliverAsync("hurried", new Feed(subject), new ByHand());
        Assert.That(
            (await FindAsync(subject, DuplicateCause.OtherMessage)).Proof,
            Has.Property("MessageId").EqualTo(first.Id)
        );
    }

    [Test]
    public async Task A_message_that_an_operator_sends_again_although_its_work_was_done()
    {
        var (subject, message) = (Guid.NewGuid(), new ByHand());
        await DeliverAsync("hurried", new Feed(subject), message);
        await TestSystem.UntilAsync(subject, "hurried", StepStatus.Done);
        var envelope = JsonNode.Parse(
            Envelope.Write(new Feed(subject), message.Id!.Value, null, message.Id.Value, null, DateTimeOffset.UtcNow)
        )!;
        envelope["headers"] = new JsonObject { ["Redrive-Count"] = 2 };
        await TestSystem.Broker.PublishBytesAsync("hurried", JsonSerializer.SerializeToUtf8Bytes(envelope), message);
        await FindAsync(subject, DuplicateCause.Redrive);
    }

    [Test]
    public async Task A_message_that_the_broker_delivers_again()
    {
        // Taken and let go by a consumer that dies after its commit: the broker marks the next delivery.
        var (subject, message) = (Guid.NewGuid(), new ByHand());
        await TestSystem.Broker.PublishToAsync("careful", new Feed(subject), message);
        await using (
            var connection = await QueueWorkers
                .Messaging.BrokerConnection.CreateFactory(TestSystem.Broker.Options)
                .CreateConnectionAsync()
        )
        await using (var channel = await connection.CreateChannelAsync())
            await channel.BasicGetAsync("careful", autoAck: false);
        await using (var process = new OneProcess(TestSystem))
            await process.Committer.CommitAsync(OneProcess.Run(CarefulStep.Policy, subject, message.Id));

        await using var host = await TestSystem.StartAsync("careful");
        await FindAsync(subject, DuplicateCause.Redelivery);
        Assert.That(await TestSystem.EffectsAsync(subject), Is.EqualTo(1));
    }

    [Test]
    public async Task A_post_that_is_repeated()
    {
        var intake = (OrderIntake)Host.Services.GetService(typeof(OrderIntake))!;
        var order = SampleOrders.New(1) with { IdempotencyKey = "key-of-a-client", BodyHash = [1] };
        var first = await intake.AcceptAsync(order);
        for (var i = 0; i < 3; i++)
            Assert.That(
                (
                    await intake.AcceptAsync(
                        SampleOrders.New(1) with
                        {
                            IdempotencyKey = "key-of-a-client",
                            BodyHash = [1],
                        }
                    )
                ).Outcome,
                Is.EqualTo(IntakeOutcome.Replayed)
            );

        await Eventually.That(
            () =>
                TestSystem.Database.CountAsync(
                    "duplicates where subject_id = $1 and cause = $2",
                    first.Order!.Id,
                    (short)DuplicateCause.RepeatedPost
                ),
            Is.EqualTo(3),
            "evidence"
        );
        Assert.That(await TestSystem.Database.CountAsync("orders where id = $1", first.Order!.Id), Is.EqualTo(1));
    }

    [Test]
    public async Task A_flood_is_counted_in_full_and_proved_in_part()
    {
        // A host of its own: notes that are still in its bounded channel would drop the notes of the other tests.
        await using var flooded = await TestSystem.StartAsync("careful");
        var evidence = flooded.Services.GetRequiredService<DuplicateEvidence>();
        var subject = Guid.NewGuid();
        const int flood = 10_000;
        for (var i = 0; i < flood; i++)
            evidence.Add(subject, "flooded", "flooded", null, DuplicateCause.Redelivery);
        await Eventually.That(
            () =>
                TestSystem.Database.ScalarAsync<long>(
                    "select coalesce(sum(count), 0)::bigint from duplicate_counts where step = 'flooded'"
                ),
            Is.EqualTo(flood),
            "counted"
        );
        Assert.That(
            await TestSystem.Database.CountAsync("duplicates where subject_id = $1", subject),
            Is.InRange(1, flood - 1)
        );
    }

    private async Task<DuplicateView> FindAsync(Guid subject, DuplicateCause cause)
    {
        await Eventually.That(
            async () =>
                (await _reader.ListAsync(null, null, null, subject, 10, CancellationToken.None))
                    .Select(d => d.Cause)
                    .ToArray(),
            Is.EqualTo([cause]),
            "causes of the duplicates"
        );
        return (await _reader.ListAsync(null, null, null, subject, 10, CancellationToken.None)).Single();
    }
}
