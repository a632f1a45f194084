using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Text.Unicode;

namespace Orders.Producer.Api.Json;

/// <summary>
/// Writes JSON answers: once into memory that is kept for the next answer, then in one piece with its length.
/// </summary>
internal static class JsonAnswer
{
    // The longest buffer that is kept; one answer of 500 orders must not pin its memory for ever.
    private const int LargestKept = 64 * 1024;

    // Letters of all scripts as they are; what could end a script or an attribute in a page stays escaped.
    private static readonly JsonWriterOptions Plain = new()
    {
        SkipValidation = true,
        Encoder = JavaScriptEncoder.Create(UnicodeRanges.All),
    };

    [ThreadStatic]
    private static ArrayBufferWriter<byte>? _buffer;

    [ThreadStatic]
    private static Utf8JsonWriter? _writer;

    /// <summary>Answers with an object of the API's JSON contract.</summary>
    public static Task WriteAsync<T>(HttpContext context, int status, T value, JsonTypeInfo<T> type) =>
        WriteAsync(
            context,
            status,
            "application/json; charset=utf-8",
            (value, type),
            static (writer, answer) => JsonSerializer.Serialize(writer, answer.value, answer.type)
        );

    /// <summary>Answers with what <paramref name="write"/> writes.</summary>
    public static Task WriteAsync<T>(
        HttpContext context,
        int status,
        string contentType,
        T value,
        Action<Utf8JsonWriter, T> write
    )
    {
        var buffer = _buffer ??= new ArrayBufferWriter<byte>(1024);
        buffer.ResetWrittenCount();
        var writer = _writer ??= new Utf8JsonWriter(buffer, Plain);
        writer.Reset(buffer);
        write(writer, value);
        writer.Flush();

        var response = context.Response;
        response.StatusCode = status;
        response.ContentType = contentType;
        response.ContentLength = buffer.WrittenCount;
        response.Headers.XContentTypeOptions = "nosniff";
        // Orders are personal, and everything here changes.
        response.Headers.CacheControl = "no-store";
        // Copied to the connection here, before anything is awaited: another request may use the buffer on this thread
        // afterwards.
        // Not flushed: the server does that once, when the request ends.
        response.BodyWriter.Write(buffer.WrittenSpan);
        if (buffer.Capacity > LargestKept)
            (_buffer, _writer) = (null, null);
        return Task.CompletedTask;
    }
}
