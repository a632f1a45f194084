using System.Text;
using System.Text.Json;
using QueueWorkers.Outbox.Relaying.Publishing;

namespace QueueWorkers.Outbox;

/// <summary>What AMQP 0-9-1 can carry besides the body.</summary>
internal static class AmqpLimits
{
    /// <summary>
    /// The most UTF-8 bytes of a short string: exchange, routing key, correlation id, content type, name of a header.
    /// </summary>
    public const int ShortString = 255;

    // Frame, class, flags and the properties other than the headers, each of which is a short string.
    private const int BesidesHeaders = 1024;

    /// <summary>Whether a text fits into a short string.</summary>
    public static bool IsShortString(string? text) =>
        text is null || text.Length <= ShortString && Encoding.UTF8.GetByteCount(text) <= ShortString;

    /// <summary>The text; null when it does not fit into a short string.</summary>
    public static string? ShortStringOrNull(string? text) => IsShortString(text) ? text : null;

    /// <summary>
    /// Headers from their JSON object, without those that AMQP cannot carry; null when there are none, or when they
    /// cannot be read.
    /// </summary>
    public static Dictionary<string, object?>? HeadersThatFit(string json)
    {
        try
        {
            var headers = RelayPublisher.HeadersOf(json);
            foreach (var name in headers?.Keys.Where(name => !IsShortString(name)).ToArray() ?? [])
                headers!.Remove(name);
            return headers;
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>
    /// Refuses headers that are larger than a frame: the broker would close the connection under everybody who uses it.
    /// </summary>
    /// <param name="json">The headers as they are stored.</param>
    /// <param name="headers">The same, read.</param>
    /// <param name="frameMax">The largest frame of the connection, in bytes; 0 for no limit.</param>
    /// <exception cref="ArgumentException">They are.</exception>
    public static void RequireFrame(string json, Dictionary<string, object?>? headers, uint frameMax)
    {
        // Stored as JSON a header takes at least half of what it takes in a frame, so nearly all are done with here.
        if (headers is null || frameMax == 0 || json.Length * 2L * 3 + BesidesHeaders <= frameMax)
            return;
        var bytes =
            headers.Sum(h =>
                6L + Encoding.UTF8.GetByteCount(h.Key) + (h.Value is string text ? Encoding.UTF8.GetByteCount(text) : 8)
            ) + BesidesHeaders;
        if (bytes > frameMax)
            throw new ArgumentException($"the headers take {bytes} bytes, more than the {frameMax} of a frame");
    }

    /// <summary>Which texts of a message do not fit into a short string; empty when all do.</summary>
    public static string TooLong(OutboxMessage message, IEnumerable<string> headerNames)
    {
        var texts = new[]
        {
            ("exchange", message.Exchange),
            ("routing key", message.RoutingKey),
            ("correlation id", message.CorrelationId),
            ("content type", message.ContentType),
        };
        var tooLong = texts
            .Concat(headerNames.Select(name => ("header name", (string?)name)))
            .Where(t => !IsShortString(t.Item2))
            .Select(t => $"{t.Item1} ({Encoding.UTF8.GetByteCount(t.Item2!)} bytes)");
        return string.Join(", ", tooLong);
    }
}
