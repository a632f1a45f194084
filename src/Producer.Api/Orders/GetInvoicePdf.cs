using Orders.Infrastructure;
using Orders.Infrastructure.Reading;
using Orders.Producer.Api.Auth;
using Orders.Producer.Api.Problems;

namespace Orders.Producer.Api.Orders;

/// <summary>
/// <c>GET /orders/{id}/invoice.pdf</c>: the invoice as it was rendered, byte by byte; its SHA-256 is the entity tag.
/// </summary>
internal sealed class GetInvoicePdf(InvoiceDocumentReader reader)
{
    public async Task HandleAsync(HttpContext context, Guid id)
    {
        var (found, invoice) = await reader.FindAsync(id, Caller.Of(context).ClientId, context.RequestAborted);
        if (!found)
            await GetOrder.NotFound.AnswerAsync(context);
        else if (invoice is not { Pdf: { } pdf, Sha256: { } sha256 })
            await new Problem(ProblemKinds.InvoiceNotReady, Waiting(invoice)).AnswerAsync(context);
        else
            await PdfAnswer.WriteAsync(
                context,
                OrderNumber.FormatInvoice(invoice.Number),
                pdf,
                Convert.ToHexStringLower(sha256)
            );
    }

    private static string Waiting(InvoiceDocument? invoice) =>
        invoice is null
            ? "The invoice step has not issued a number yet; GET /orders/{id} shows where it stands."
            : "The invoice has its number, but the document is not rendered yet; GET /orders/{id} shows where the step stands.";
}
