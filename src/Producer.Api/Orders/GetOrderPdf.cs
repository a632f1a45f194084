using Orders.Infrastructure.Reading;
using Orders.Producer.Api.Auth;
using Orders.Producer.Api.Problems;

namespace Orders.Producer.Api.Orders;

/// <summary>
/// <c>GET /orders/{id}/invoice.pdf</c>, and <c>GET /orders/{id}/credit-note.pdf</c> for the document that takes back
/// the invoice of a cancelled order. The answer is the document as it was rendered, byte by byte; its SHA-256 is the
/// entity tag.
/// </summary>
internal sealed class GetOrderPdf(InvoiceDocumentReader reader)
{
    public async Task InvoiceAsync(HttpContext context, Guid id)
    {
        var (found, invoice) = await reader.FindAsync(id, Caller.Of(context).ClientId, context.RequestAborted);
        await AnswerAsync(
            context,
            found,
            invoice,
            new Problem(
                ProblemKinds.InvoiceNotReady,
                invoice is null
                    ? "The invoice step has not issued a number yet; GET /orders/{id} shows where it stands."
                    : "The invoice has its number, but the document is not rendered yet; GET /orders/{id} shows where the step stands."
            )
        );
    }

    public async Task CreditNoteAsync(HttpContext context, Guid id)
    {
        var (found, note) = await reader.FindCreditNoteAsync(id, Caller.Of(context).ClientId, context.RequestAborted);
        await AnswerAsync(
            context,
            found,
            note,
            new Problem(
                ProblemKinds.CreditNoteNotReady,
                "There is one only for a cancelled order that had an invoice, once it is rendered."
            )
        );
    }

    private static Task AnswerAsync(HttpContext context, bool orderFound, StoredInvoice? document, Problem notReady)
    {
        if (!orderFound)
            return GetOrder.NotFound.AnswerAsync(context);
        return document switch
        {
            { Pdf: { } pdf, Sha256: { } sha256 } => WriteAsync(
                context,
                document.Number,
                pdf,
                Convert.ToHexStringLower(sha256)
            ),
            { Sha256: not null } => new Problem(
                ProblemKinds.DocumentErased,
                "The customer's data were erased, and the time for which tax law asks for the document is over."
            ).AnswerAsync(context),
            _ => notReady.AnswerAsync(context),
        };
    }

    private static async Task WriteAsync(HttpContext context, string name, byte[] pdf, string sha256)
    {
        var response = context.Response;
        response.Headers.ETag = $"\"{sha256}\"";
        response.Headers.CacheControl = "private, no-cache";
        if (context.Request.Headers.IfNoneMatch.Contains(response.Headers.ETag.ToString()))
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }

        response.Headers.XContentTypeOptions = "nosniff";
        response.ContentType = "application/pdf";
        response.ContentLength = pdf.Length;
        response.Headers.ContentDisposition = $"inline; filename=\"{name}.pdf\"";
        await response.Body.WriteAsync(pdf, context.RequestAborted);
    }
}
