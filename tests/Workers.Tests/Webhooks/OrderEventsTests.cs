using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Orders.Infrastructure;
using Orders.Infrastructure.Cancelling;
using Orders.Infrastructure.Feeding;
using Orders.Infrastructure.Reading;
using Orders.Infrastructure.Webhooks;
using Orders.OutsideWorld.Faults;
using Orders.Testing;
using QueueWorkers.Outbox.Relaying;
using QueueWorkers.Steps;

namespace Orders.Workers.Tests.Webhooks;

/// <summary>What happens to orders reaches the web hooks of their client: all steps and a relay at work.</summary>
[NonParallelizable]
public sealed class OrderEventsTests : InstallationFixture
{
    private Receiver _receiver = null!;
    private RunningHost _host = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        _receiver = await Receiver.StartAsync();
        _host = await TestSystem.StartAsync(
            "*",
            null,
            [.. Towards(World), ("Webhooks:AllowedNetworks", "127.0.0.1/32")]
        );
    }

    [OneTimeTearDown]
    public ValueTask CloseAddress() => _receiver.DisposeAsync();

    [SetUp]
    public async Task BehaveWell()
    {
        World.Behaviour.Warehouse.Set(new(WarehouseMode.Ok));
        await TestSystem.Database.ExecuteAsync("delete from webhooks");
    }

    [Test]
    public async Task A_completed_order_is_told_once()
    {
        await RegisterAsync("tests", [.. WebhookEvents.All]);
        var order = await TestSystem.PostAsync(_host);
        await UntilToldAsync(order, "order.completed");

        Assert.That(
            await TestSystem.OrderStatusAsync(order),
            Is.EqualTo(OrderStatus.Completed),
            "the order does not wait for its delivery"
        );
        Assert.That(
            (await new CatalogueReader(TestSystem.Database.Source).ReadAssortmentAsync(default)).RequiredSteps,
            Is.EqualTo(15),
            "the steps that the API lets an order wait for"
        );
    }

    [Test]
    public async Task A_rejected_order_is_told_with_its_reason()
    {
        await RegisterAsync("tests", WebhookEvents.Rejected);
        var order = await TestSystem.PostAsync(_host, ("MUG-BLUE", 1_000_000_000));
        await UntilToldAsync(order, "order.rejected");

        var told = _receiver.Received.Single(r => r.Body.Contains(order.ToString(), StringComparison.Ordinal));
        Assert.That(JsonNode.Parse(told.Body)!["data"]!["reason"]!.GetValue<string>(), Does.Contain("MUG-BLUE"));
    }

    [Test]
    public async Task An_order_that_needs_attention_is_told_and_told_again_when_it_is_done()
    {
        await RegisterAsync("tests", [.. WebhookEvents.All]);
        World.Behaviour.Warehouse.Set(new(WarehouseMode.Reject));
        var order = await TestSystem.PostAsync(_host);
        await UntilToldAsync(order, "order.needs_attention");
        World.Behaviour.Warehouse.Set(new(WarehouseMode.Ok));
        // The event is written with the status, before the message moves.
        await Eventually.That(
            () => TestSystem.Broker.CountAsync("warehouse_error"),
            Is.EqualTo(1u),
            "dead-lettered messages"
        );
        foreach (var deadLettered in await TestSystem.Broker.TakeAllAsync("warehouse_error"))
            await TestSystem.Broker.PublishBytesAsync(
                "warehouse",
                deadLettered.Body,
                new Orders.Testing.Servers.ByHand { Id = Guid.Parse(deadLettered.BasicProperties.MessageId!) }
            );

        await UntilToldAsync(order, "order.needs_attention", "order.completed");
    }

    [Test]
    public async Task A_cancelled_order_is_told()
    {
        await RegisterAsync("tests", [.. WebhookEvents.All]);
        World.Behaviour.Warehouse.Set(new(WarehouseMode.Error));
        var order = await TestSystem.PostAsync(_host);
        await TestSystem.UntilAsync(order, "invoice", StepStatus.Done);
        var cancellation = _host.Services.GetRequiredService<OrderCancellation>();
        Assert.That(
            await cancellation.CancelAsync(order, "tests", CancellationToken.None),
            Is.EqualTo(CancelOutcome.Cancelled)
        );

        await UntilToldAsync(order, "order.cancelled");
    }

    [Test]
    public async Task An_order_costs_nothing_more_while_its_client_has_no_web_hook_for_it()
    {
        await RegisterAsync("somebody else", [.. WebhookEvents.All]);
        await RegisterAsync("tests", WebhookEvents.Cancelled);
        var order = await TestSystem.PostAsync(_host);
        await TestSystem.UntilAsync(order, OrderStatus.Completed);
        await TestSystem.UntilOutboxIsEmptyAsync();

        Assert.That(
            await TestSystem.Database.CountAsync("webhook_deliveries where order_id = $1", order),
            Is.Zero,
            "deliveries"
        );
    }

    [Test]
    public async Task What_was_lost_with_the_queue_is_sent_again()
    {
        await RegisterAsync("tests", [.. WebhookEvents.All]);
        var order = await TestSystem.StoreAsync();
        await TestSystem.Database.ExecuteAsync(
            "insert into webhook_deliveries (id, webhook_id, order_id, event, at) select uuidv7(), id, $1, 'order.completed', now() from webhooks",
            order
        );
        var lost = new OrderLostMessages(
            TestSystem.Database.Source,
            _host.Services.GetRequiredService<RelayFeed>(),
            SampleOrders.Personal
        );
        Assert.That(await lost.SendAgainAsync("webhook", CancellationToken.None), Is.EqualTo(1));
        await UntilToldAsync(order, "order.completed");
        Assert.That(await lost.SendAgainAsync("webhook", CancellationToken.None), Is.Zero);
    }

    private async Task RegisterAsync(string client, params string[] events) =>
        await TestSystem.Database.ExecuteAsync(
            "insert into webhooks (id, client_id, url, events, secret) values ($1, $2, $3, $4, $5)",
            Guid.NewGuid(),
            client,
            _receiver.Url.AbsoluteUri,
            events,
            WebhookSecret.New()
        );

    private async Task UntilToldAsync(Guid order, params string[] events)
    {
        await Eventually.That(() => ToldOf(order), Is.EqualTo(events), "events that the client was told");
        await Eventually.That(
            () =>
                TestSystem.Database.CountAsync(
                    $"webhook_deliveries d join step_runs r on r.subject_id = d.id where d.order_id = $1 and r.status = {StepStatus.Done:D}",
                    order
                ),
            Is.EqualTo(events.Length),
            "deliveries that are done"
        );
    }

    private string[] ToldOf(Guid order) =>
        [
            .. _receiver
                .Received.Select(r => JsonNode.Parse(r.Body)!)
                .Where(e => e["data"]!["orderId"]?.GetValue<Guid>() == order)
                .Select(e => e["type"]!.GetValue<string>()),
        ];
}
