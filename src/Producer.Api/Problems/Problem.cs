using System.Diagnostics;
using System.Text.Json;
using Orders.Producer.Api.Json;
using Orders.Producer.Api.Validation;

namespace Orders.Producer.Api.Problems;

/// <summary>
/// A refusal (RFC 9457). Nothing of the client's input is in it: details and messages are our own sentences, pointers
/// our own member names.
/// </summary>
/// <param name="Kind">What kind it is.</param>
/// <param name="Detail">What was expected and what to change.</param>
/// <param name="Errors">What is wrong with which field; null when it is not about fields.</param>
/// <param name="RetryAfter">When trying again makes sense; null when it never does.</param>
/// <param name="TraceId">Under which it was logged; null for the present trace.</param>
internal sealed record Problem(
    ProblemKind Kind,
    string Detail,
    FieldErrors? Errors = null,
    TimeSpan? RetryAfter = null,
    string? TraceId = null
)
{
    /// <summary>The media type.</summary>
    public const string ContentType = "application/problem+json";

    /// <summary>
    /// The id of the present trace; a new one where nobody traces, so that a client has something to tell the operator
    /// all the same.
    /// </summary>
    public static string PresentTrace() => (Activity.Current?.TraceId ?? ActivityTraceId.CreateRandom()).ToHexString();

    /// <summary>Answers a request with the problem.</summary>
    public Task AnswerAsync(HttpContext context)
    {
        var response = context.Response;
        if (RetryAfter is { } wait)
            response.Headers.RetryAfter = Math.Max(1, (long)Math.Ceiling(wait.TotalSeconds))
                .ToString(System.Globalization.CultureInfo.InvariantCulture);
        // Half a body may still be on its way; reading it to its end only to keep the connection is what a flood would
        // want.
        if (Kind == ProblemKinds.BodyTooLarge || Kind == ProblemKinds.TooSlow)
            response.Headers.Connection = "close";
        return JsonAnswer.WriteAsync(
            context,
            Kind.Status,
            ContentType,
            this,
            static (writer, problem) => problem.WriteTo(writer)
        );
    }

    /// <summary>Writes the problem as a JSON object.</summary>
    public void WriteTo(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteString("type"u8, Kind.Type);
        writer.WriteString("title"u8, Kind.Title);
        writer.WriteNumber("status"u8, Kind.Status);
        writer.WriteString("detail"u8, Detail);
        writer.WriteString("traceId"u8, TraceId ?? PresentTrace());
        if (Errors is not null)
        {
            writer.WritePropertyName("errors"u8);
            Errors.WriteTo(writer);
        }

        writer.WriteEndObject();
    }
}
