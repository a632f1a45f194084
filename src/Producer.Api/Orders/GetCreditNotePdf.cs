using Orders.Infrastructure;
using Orders.Infrastructure.Reading;
using Orders.Producer.Api.Auth;
using Orders.Producer.Api.Problems;

namespace Orders.Producer.Api.Orders;

/// <summary>
/// <c>GET /orders/{id}/credit-note.pdf</c>: the document that takes back the invoice of a cancelled order.
/// </summary>
internal sealed class GetCreditNotePdf(InvoiceDocumentReader reader)
{
    public async Task HandleAsync(HttpContext context, Guid id)
    {
        var (found, note) = await reader.FindCreditNoteAsync(id, Caller.Of(context).ClientId, context.RequestAborted);
        if (!found)
            await GetOrder.NotFound.AnswerAsync(context);
        else if (note is not { Pdf: { } pdf, Sha256: { } sha256 })
            await new Problem(
                ProblemKinds.CreditNoteNotReady,
                "There is one only for a cancelled order that had an invoice, once it is rendered."
            ).AnswerAsync(context);
        else
            await PdfAnswer.WriteAsync(
                context,
                OrderNumber.FormatCreditNote(note.Number),
                pdf,
                Convert.ToHexStringLower(sha256)
            );
    }
}
