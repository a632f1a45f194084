using Orders.Contracts;
using Orders.Infrastructure.Invoices;
using Orders.Testing;
using QueueWorkers.Idempotency;
using QueueWorkers.Steps;
using UglyToad.PdfPig;

namespace Orders.Workers.Tests.Invoice;

/// <summary>
/// An issued invoice is taken back by a credit note: numbers without gaps of their own series, the same document
/// whatever crashes in between.
/// </summary>
public sealed class CreditNoteTests : InstallationFixture
{
    [OneTimeSetUp]
    public Task Start() => StartAsync("invoice");

    [Test]
    public async Task A_run_that_died_between_number_and_document_is_ended_with_the_same_number()
    {
        var order = await InvoicedAsync();
        await using var numbers = new CreditNoteNumbers(TestSystem.Database.Source, new InvoiceNumbering());
        var dead = await numbers.IssueAsync(order);

        await CancelAsync(order);

        Assert.That(
            await TestSystem.Database.ScalarAsync<long>(
                "select number from credit_notes where order_id = $1 and sha256 = sha256(pdf)",
                order
            ),
            Is.EqualTo(dead!.Number)
        );
        var text = await TextAsync(order);
        Assert.That(
            text,
            Does.Contain("CREDIT NOTE")
                .And.Contain($"CN-{dead.Number:D8}")
                .And.Contain($"Takes back invoice INV-{dead.Invoice.Number:D8}")
                .And.Contain("-€29.70")
        );
    }

    [Test]
    public async Task An_invoice_whose_run_died_before_its_document_gets_document_and_credit_note()
    {
        var order = await InvoicedAsync();
        await TestSystem.Database.ExecuteAsync(
            "update invoices set pdf = null, sha256 = null where order_id = $1",
            order
        );

        await CancelAsync(order);

        Assert.That(
            await TestSystem.Database.CountAsync(
                "invoices join credit_notes n using (order_id) where order_id = $1 and invoices.sha256 = sha256(invoices.pdf) and n.sha256 = sha256(n.pdf)",
                order
            ),
            Is.EqualTo(1)
        );
    }

    [Test]
    public async Task An_order_without_an_invoice_gets_no_credit_note_and_no_number_is_burnt()
    {
        var before = await LastAsync();
        var order = await TestSystem.StoreAsync();
        await TestSystem.Database.ExecuteAsync(
            "update order_progress set cancelled_at = now() where order_id = $1",
            order
        );
        await DeliverAsync("invoice", order, new OrderCancelled(order, DateTimeOffset.UtcNow));
        await DeliverAsync("invoice", order, new StockReserved(order, DateTimeOffset.UtcNow));

        await TestSystem.UntilAsync(order, "invoice", StepStatus.Cancelled);
        Assert.That(await TestSystem.Database.CountAsync("invoices where order_id = $1", order), Is.Zero);
        Assert.That(await LastAsync(), Is.EqualTo(before));
    }

    [Test]
    public async Task Twenty_at_once_get_numbers_without_gaps()
    {
        var orders = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => InvoicedAsync()));
        await Task.WhenAll(orders.Select(CancelAsync));
        Assert.That(
            await TestSystem.Database.ScalarAsync<string>(
                "select (max(number) - min(number) + 1 = count(*))::text || count(*) filter (where sha256 is null) from credit_notes"
            ),
            Is.EqualTo("true0")
        );
        Assert.That(
            await LastAsync(),
            Is.EqualTo(await TestSystem.Database.ScalarAsync<long>("select max(number) from credit_notes"))
        );
    }

    private async Task<Guid> InvoicedAsync()
    {
        var order = await TestSystem.StoreAsync();
        await DeliverAsync("invoice", order, new StockReserved(order, DateTimeOffset.UtcNow));
        await TestSystem.UntilAsync(order, "invoice", StepStatus.Done);
        return order;
    }

    private async Task CancelAsync(Guid order)
    {
        await TestSystem.Database.ExecuteAsync(
            "update order_progress set cancelled_at = now() where order_id = $1",
            order
        );
        await DeliverAsync("invoice", order, new OrderCancelled(order, DateTimeOffset.UtcNow));
        await Eventually.That(
            () =>
                TestSystem.Database.CountAsync(
                    $"effects where subject_id = $1 and effect = 'invoice-undo' and state = {EffectState.Done:D}",
                    order
                ),
            Is.EqualTo(1),
            "credit notes"
        );
    }

    private Task<long> LastAsync() =>
        TestSystem.Database.ScalarAsync<long>("select last from invoice_counter where series = 'credit-note'");

    private async Task<string> TextAsync(Guid order)
    {
        using var document = PdfDocument.Open(
            await TestSystem.Database.ScalarAsync<byte[]>("select pdf from credit_notes where order_id = $1", order)
        );
        return string.Join('\n', document.GetPages().Select(p => p.Text));
    }
}
