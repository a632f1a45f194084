using System.Security.Cryptography;
using MassTransit;
using Orders.Contracts;
using Orders.Infrastructure.Orders.Invoices;
using Orders.Infrastructure.Steps;

namespace Orders.Workers.Invoice;

/// <summary>
/// Writes the invoice in two stages (decision 14): number and snapshot in one short transaction; the document, rendered from the snapshot outside any transaction, in the step's commit.
/// A crash between the two finds the number again and renders the same document.
/// </summary>
public sealed class InvoiceStep(InvoiceNumbers numbers, InvoicePdf renderer) : IConsumer<StockReserved>, IStep
{
    /// <inheritdoc />
    public static StepPolicy Policy => new("invoice")
    {
        Redelivery = Redelivery.Exponential(6, TimeSpan.FromSeconds(2)),
        // Rendering needs a processor, not patience: a few at a time keep it busy while others wait for the database.
        Concurrency = 4,
        Grants = InvoiceNumbers.Grants,
    };

    /// <inheritdoc />
    public async Task Consume(ConsumeContext<StockReserved> context)
    {
        var invoice = await numbers.IssueAsync(context.Message.OrderId);
        if (invoice.IsStored)
            return;
        var pdf = renderer.Render(invoice);
        context.Step().Write = new StoreInvoicePdf(invoice.OrderId, pdf, SHA256.HashData(pdf));
    }
}
