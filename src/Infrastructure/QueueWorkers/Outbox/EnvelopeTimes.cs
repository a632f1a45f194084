using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using QueueWorkers.Clocks;

namespace QueueWorkers.Outbox;

/// <summary>
/// MassTransit stamps what it sends with the machine's clock. Whoever receives the message compares those times with the
/// database's clock, so where the two differ the stamps are moved.
/// </summary>
internal static class EnvelopeTimes
{
    private static readonly TimeSpan Tolerated = TimeSpan.FromSeconds(1);
    private static readonly string[] Stamps = ["sentTime", "expirationTime"];

    /// <summary>The body of a message that was stamped now.</summary>
    public static byte[] ByDatabaseClock(byte[] body) => Moved(body, DatabaseClock.UtcNow - DateTimeOffset.UtcNow);

    /// <summary>The body with its stamps moved; as it is when it is no envelope, or the offset is small.</summary>
    internal static byte[] Moved(byte[] body, TimeSpan offset)
    {
        if (offset.Duration() < Tolerated)
            return body;
        JsonNode? envelope;
        try
        {
            envelope = JsonNode.Parse(body);
        }
        catch (JsonException)
        {
            return body;
        }

        if (envelope is not JsonObject members)
            return body;
        foreach (var stamp in Stamps)
        {
            if (
                members[stamp] is JsonValue value
                && value.TryGetValue<string>(out var text)
                && DateTimeOffset.TryParse(
                    text,
                    CultureInfo.InvariantCulture,
                    DateTimeStyles.AssumeUniversal,
                    out var at
                )
            )
                members[stamp] = (at + offset).UtcDateTime;
        }

        return JsonSerializer.SerializeToUtf8Bytes(envelope);
    }
}
