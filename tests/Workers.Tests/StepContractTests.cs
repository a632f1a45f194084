using Orders.Infrastructure.Webhooks;
using Orders.OutsideWorld;
using Orders.Testing;
using Orders.Workers.Email;
using Orders.Workers.Inventory;
using Orders.Workers.Invoice;
using Orders.Workers.Warehouse;
using Orders.Workers.Webhooks;

namespace Orders.Workers.Tests;

public sealed class InventoryStepContractTests() : StepContract<InventoryStep>(Steps.Catalogue)
{
    protected override async Task VerifyOneEffectAsync(Guid subject) =>
        Assert.That(
            await TestSystem.Database.CountAsync(
                "stock_movements m join order_lines l using (order_id, sku) where m.order_id = $1 and m.quantity = -l.quantity",
                subject
            ),
            Is.Positive.And.EqualTo(await TestSystem.Database.CountAsync("order_lines where order_id = $1", subject)),
            "movements, one for each line"
        );
}

public sealed class InvoiceStepContractTests() : StepContract<InvoiceStep>(Steps.Catalogue)
{
    protected override async Task VerifyOneEffectAsync(Guid subject) =>
        Assert.That(
            await TestSystem.Database.CountAsync("invoices where order_id = $1 and sha256 = sha256(pdf)", subject),
            Is.EqualTo(1),
            "invoices with their document"
        );
}

public sealed class WarehouseStepContractTests() : StepContract<WarehouseStep>(Steps.Catalogue)
{
    private RunningWorld _world = null!;

    protected override IEnumerable<(string Name, string? Value)> Settings => InstallationFixture.Towards(_world);

    protected override async Task PrepareAsync() =>
        _world = await OutsideWorldHost.StartAsync(o => o.WarehouseSecret = Tests.Settings.WarehouseSecret);

    [OneTimeTearDown]
    public ValueTask StopTheWorld() => _world.DisposeAsync();

    protected override Task VerifyOneEffectAsync(Guid subject)
    {
        Assert.That(
            _world.Warehouse.Of(subject.ToString()).Count(c => c.IsAccepted),
            Is.EqualTo(1),
            "calls that the warehouse accepted"
        );
        return Task.CompletedTask;
    }
}

public sealed class EmailStepContractTests() : StepContract<EmailStep>(Steps.Catalogue)
{
    private RunningWorld _world = null!;

    protected override IEnumerable<(string Name, string? Value)> Settings => InstallationFixture.Towards(_world);

    protected override async Task PrepareAsync() => _world = await OutsideWorldHost.StartAsync();

    [OneTimeTearDown]
    public ValueTask StopTheWorld() => _world.DisposeAsync();

    protected override Task VerifyOneEffectAsync(Guid subject)
    {
        Assert.That(
            _world.Mails.Delivered.Count(m => m.MessageId == MessageIds.For("email", subject, "orders.example")),
            Is.EqualTo(1),
            "mails in the sink"
        );
        return Task.CompletedTask;
    }
}

public sealed class WebhookStepContractTests() : StepContract<WebhookStep>(Steps.Catalogue)
{
    private Tests.Webhooks.Receiver _receiver = null!;

    protected override IEnumerable<(string Name, string? Value)> Settings =>
        [("Webhooks:AllowedNetworks", "127.0.0.1/32")];

    protected override async Task PrepareAsync() => _receiver = await Tests.Webhooks.Receiver.StartAsync();

    [OneTimeTearDown]
    public ValueTask CloseAddress() => _receiver.DisposeAsync();

    // A delivery, and not an order.
    protected override async Task<Guid> NewSubjectAsync()
    {
        var (order, webhook, delivery) = (await TestSystem.StoreAsync(), Guid.NewGuid(), Guid.NewGuid());
        await TestSystem.Database.ExecuteAsync(
            "insert into webhooks (id, client_id, url, events, secret) values ($1, $2, $3, '{order.completed}', $4)",
            webhook,
            $"tests of {webhook}",
            _receiver.Url.AbsoluteUri,
            WebhookSecret.New()
        );
        await TestSystem.Database.ExecuteAsync(
            "insert into webhook_deliveries (id, webhook_id, order_id, event, at) values ($1, $2, $3, 'order.completed', now())",
            delivery,
            webhook,
            order
        );
        return delivery;
    }

    // Copies that run at the same moment may call with the same id, by which the receiver knows them.
    protected override Task VerifyOneEffectAsync(Guid subject)
    {
        Assert.That(
            _receiver.Received.Where(r => r.Id == subject.ToString()).Select(r => r.Body).Distinct().Count(),
            Is.EqualTo(1),
            "different events of one id"
        );
        return Task.CompletedTask;
    }
}
