using System.Text.Json;
using System.Text.Json.Nodes;
using Orders.Contracts;
using Orders.Testing;
using Orders.Testing.Servers;
using QueueWorkers.Idempotency;
using QueueWorkers.Outbox;
using QueueWorkers.Steps;

namespace Orders.Workers.Tests.Email;

/// <summary>
/// Mails that failed once during an outage, with the real mail step and a mail server that works again.
/// </summary>
public sealed class RetryBacklogMailTests : InstallationFixture
{
    private const int Mails = 300;

    [Test]
    public async Task Three_hundred_mails_that_failed_once_are_sent_within_a_minute_and_without_any_new_order()
    {
        var orders = new List<Guid>();
        for (var i = 0; i < Mails; i++)
            orders.Add(await TestSystem.StoreAsync());
        foreach (var order in orders)
            await DeliverRetryAsync(order);

        await StartAsync("email");
        await Eventually.That(
            () => TestSystem.Database.CountAsync($"step_runs where step = 'email' and status = {StepStatus.Done:D}"),
            Is.EqualTo((long)Mails),
            "mails recorded as sent",
            // One retry a second, which a stuck backlog gets, would take 300 s.
            TimeSpan.FromSeconds(60)
        );
        Assert.That(World.Mails.DeliveredCount, Is.EqualTo(Mails), "mails: each once");
        Assert.That(
            await TestSystem.Database.CountAsync($"effects where effect = 'email' and state = {EffectState.Done:D}"),
            Is.EqualTo((long)Mails),
            "effects that are done"
        );
        Assert.That(await TestSystem.Broker.CountAsync("email_error"), Is.Zero, "dead-lettered messages");
    }

    // As it comes out of the outbox after its first attempt has failed.
    private async Task DeliverRetryAsync(Guid order)
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
        envelope["headers"] = new JsonObject { ["MT-Redelivery-Count"] = 1 };
        await TestSystem.Broker.PublishBytesAsync(
            "email",
            JsonSerializer.SerializeToUtf8Bytes(envelope),
            new ByHand { Id = id, CorrelationId = order }
        );
    }
}
