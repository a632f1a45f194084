namespace Orders.Producer.Api.Orders;

/// <summary>Answers with a document as it was rendered, byte by byte; its SHA-256 is the entity tag.</summary>
internal static class PdfAnswer
{
    public static async Task WriteAsync(HttpContext context, string name, byte[] pdf, string sha256)
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
