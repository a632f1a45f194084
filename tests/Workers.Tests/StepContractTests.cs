using Orders.OutsideWorld;
using Orders.Testing;
using Orders.Workers.Email;
using Orders.Workers.Inventory;
using Orders.Workers.Invoice;
using Orders.Workers.Warehouse;

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
