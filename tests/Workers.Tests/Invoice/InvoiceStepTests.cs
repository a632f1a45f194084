using Orders.Contracts;
using Orders.Testing;
using Orders.Workers.Invoice;
using QueueWorkers.Hosting;
using QueueWorkers.Steps;

namespace Orders.Workers.Tests.Invoice;

public sealed class InvoiceStepTests : InstallationFixture
{
    [OneTimeSetUp]
    public Task Start() => StartAsync("invoice");

    [Test]
    public async Task Fifty_reservations_become_fifty_invoices_whose_documents_match_their_hash()
    {
        var orders = new List<Guid>();
        for (var i = 0; i < 50; i++)
            orders.Add(await TestSystem.StoreAsync());
        await Task.WhenAll(orders.Select(o => DeliverAsync("invoice", o, new StockReserved(o, DateTimeOffset.UtcNow))));

        foreach (var order in orders)
            await TestSystem.UntilAsync(order, "invoice", StepStatus.Done);
        Assert.That(
            await TestSystem.Database.CountAsync(
                "invoices where order_id = any($1) and sha256 = sha256(pdf)",
                orders.ToArray()
            ),
            Is.EqualTo(50)
        );
        Assert.That(
            await TestSystem.Database.ScalarAsync<bool>(
                "select max(number) - min(number) + 1 = count(*) and count(*) = count(distinct order_id) from invoices"
            ),
            Is.True,
            "without gaps"
        );
    }

    [Test]
    public async Task A_message_redriven_after_its_idempotency_row_was_purged_leaves_number_and_document_alone()
    {
        var order = await TestSystem.StoreAsync();
        await DeliverAsync("invoice", order, new StockReserved(order, DateTimeOffset.UtcNow));
        await TestSystem.UntilAsync(order, "invoice", StepStatus.Done);
        var before = await TestSystem.Database.RowsAsync(
            "select number, sha256, xmin::text from invoices where order_id = $1",
            order
        );
        await TestSystem.Database.ExecuteAsync("delete from idempotency");
        var again = await TestSystem.StoreAsync();
        await DeliverAsync("invoice", order, new StockReserved(order, DateTimeOffset.UtcNow));
        await DeliverAsync("invoice", again, new StockReserved(again, DateTimeOffset.UtcNow));
        await TestSystem.UntilAsync(again, "invoice", StepStatus.Done);

        Assert.That(
            await TestSystem.Database.RowsAsync(
                "select number, sha256, xmin::text from invoices where order_id = $1",
                order
            ),
            Is.EqualTo(before),
            "the very same row"
        );
    }

    [Test]
    public void Without_its_fonts_the_step_does_not_start_and_says_what_to_install()
    {
        var empty = Directory.CreateTempSubdirectory().FullName;
        try
        {
            Assert.That(
                () =>
                    InvoiceOptions.Read(Tests.Settings.Of(("Invoice:Demo", "true"), ("Invoice:FontDirectory", empty))),
                Throws
                    .TypeOf<InvalidConfigurationException>()
                    .With.Message.Contains("found none")
                    .And.Message.Contains("fonts-noto-core")
                    .And.Message.Contains("fonts-noto-cjk")
                    .And.Message.Contains("fonts-noto-color-emoji")
            );
        }
        finally
        {
            Directory.Delete(empty);
        }
    }
}
