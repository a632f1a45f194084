using Microsoft.Net.Http.Headers;
using Orders.Producer.Api.Problems;

namespace Orders.Producer.Api.Intake;

/// <summary>
/// What a body may be: <c>application/json</c> in UTF-8, as it is. Anything else would have to be guessed at, or
/// unpacked before its size is known.
/// </summary>
internal static class PlainJson
{
    private static readonly Problem Refusal = new(
        ProblemKinds.UnsupportedMediaType,
        "Send Content-Type: application/json (charset utf-8 may be named), without Content-Encoding."
    );

    /// <summary>The refusal for a request whose body is something else; null when it is fine.</summary>
    public static Problem? FaultIn(HttpRequest request) =>
        request.Headers.ContentEncoding.Count == 0 && IsJson(request.Headers.ContentType) ? null : Refusal;

    private static bool IsJson(Microsoft.Extensions.Primitives.StringValues header)
    {
        if (header.Count != 1)
            return false;
        if (header[0] is "application/json" or "application/json; charset=utf-8")
            return true;
        return MediaTypeHeaderValue.TryParse(header[0], out var type)
            && type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase)
            && type.Parameters.All(p =>
                p.Name.Equals("charset", StringComparison.OrdinalIgnoreCase)
                && HeaderUtilities.RemoveQuotes(p.Value).Equals("utf-8", StringComparison.OrdinalIgnoreCase)
            );
    }
}
