using System.Security.Cryptography;
using MassTransit;
using Orders.Contracts;
using Orders.Infrastructure.Invoices;
using QueueWorkers.GroupCommit;
using QueueWorkers.Steps;

namespace Orders.Workers.Invoice;

/// <summary>
/// Writes the invoice in two stages: number and snapshot in one short transaction; the document, rendered
/// from the snapshot outside any transaction, in the step's commit.
/// A crash between the two finds the number again and renders the same document.
/// </summary>
public sealed class InvoiceStep(InvoiceNumbers numbers, CreditNoteNumbers creditNotes, InvoicePdf renderer)
    : IConsumer<StockReserved>,
        IConsumer<OrderCancelled>,
        IStep
{
    /// <inheritdoc />
    public static StepPolicy Policy =>
        new("invoice")
        {
            Redelivery = Redelivery.Exponential(6, TimeSpan.FromSeconds(2)),
            // Rendering takes a millisecond or two; the rest is waiting for two shared commits, which cost the same for
            // many. With 4 at a time they held four runs, and an invoice cost three times as much.
            Concurrency = 64,
            Compensations = [typeof(OrderCancelled)],
            Grants = InvoiceNumbers.Grants,
        };

    /// <inheritdoc />
    public async Task Consume(ConsumeContext<StockReserved> context)
    {
        var invoice = await numbers.IssueAsync(context.Message.OrderId);
        if (invoice.IsStored)
            return;
        PersonalText.Hide(invoice.Snapshot.CustomerName, invoice.Snapshot.Address.Line1);
        context.Step().Write = Document(invoice.OrderId, renderer.Render(invoice));
    }

    /// <summary>
    /// Takes the invoice back with a credit note, by the same two stages. Whether there is an invoice is asked of the
    /// invoices and not of the step's effect:
    /// a run may have died between its stages, and its number was issued all the same.
    /// </summary>
    public async Task Consume(ConsumeContext<OrderCancelled> context)
    {
        var step = context.Step();
        if (await creditNotes.IssueAsync(context.Message.OrderId) is { } note)
        {
            var invoice = note.Invoice;
            PersonalText.Hide(invoice.Snapshot.CustomerName, invoice.Snapshot.Address.Line1);
            step.Write = new StoreCreditNotePdf(
                Document(invoice.OrderId, renderer.Render(note)),
                invoice.IsStored ? null : Document(invoice.OrderId, renderer.Render(invoice))
            );
        }
        else
        {
            step.NothingToDo();
        }
    }

    private static StoreInvoicePdf Document(Guid orderId, byte[] pdf) => new(orderId, pdf, SHA256.HashData(pdf));
}
