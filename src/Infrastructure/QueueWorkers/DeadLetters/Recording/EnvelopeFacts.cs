using System.Text.Json;
using QueueWorkers.GroupCommit;

namespace QueueWorkers.DeadLetters.Recording;

/// <summary>What can be learned from a message's body, however broken it is: everything is optional.</summary>
/// <param name="MessageId">The id in the envelope.</param>
/// <param name="OriginalMessageId">The id before redeliveries.</param>
/// <param name="CorrelationId">What it is about.</param>
/// <param name="ConversationId">The chain it belongs to.</param>
/// <param name="MessageType">Its first type, as the name of an exchange.</param>
/// <param name="SentAt">When it was written.</param>
/// <param name="Generation">How often it was redriven.</param>
/// <param name="Redeliveries">How often it was redelivered.</param>
/// <param name="Payload">The message itself, JSON text; null when the body is no envelope.</param>
internal sealed record EnvelopeFacts(
    Guid? MessageId,
    Guid? OriginalMessageId,
    Guid? CorrelationId,
    Guid? ConversationId,
    string? MessageType,
    DateTimeOffset? SentAt,
    int Generation,
    int Redeliveries,
    string? Payload
)
{
    private const string UrnPrefix = "urn:message:";

    public static EnvelopeFacts None { get; } = new(null, null, null, null, null, null, 0, 0, null);

    public static EnvelopeFacts Read(ReadOnlyMemory<byte> body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            return document.RootElement.ValueKind == JsonValueKind.Object ? Read(document.RootElement) : None;
        }
        catch (Exception unreadable) when (unreadable is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: well-formed JSON whose texts are none (half a character, bytes that are not
            // UTF-8); it shows only when they are read.
            return None;
        }
    }

    /// <summary>
    /// What the message is about when nothing else says it: by convention the first member that is an id.
    /// </summary>
    public Guid? SubjectInPayload()
    {
        if (Payload is null)
            return null;
        try
        {
            using var document = JsonDocument.Parse(Payload);
            return document.RootElement.ValueKind == JsonValueKind.Object ? FirstId(document.RootElement) : null;
        }
        catch (InvalidOperationException)
        {
            // A text of half characters.
            return null;
        }
    }

    private static Guid? FirstId(JsonElement payload)
    {
        foreach (var member in payload.EnumerateObject())
        {
            if (member.Value.ValueKind == JsonValueKind.String && member.Value.TryGetGuid(out var id))
                return id;
        }

        return null;
    }

    private static EnvelopeFacts Read(JsonElement root)
    {
        var headers =
            root.TryGetProperty("headers", out var given) && given.ValueKind == JsonValueKind.Object ? given : default;
        return new EnvelopeFacts(
            IdIn(root, "messageId"),
            IdIn(headers, "MT-OriginalMessageId"),
            IdIn(root, "correlationId"),
            IdIn(root, "conversationId"),
            TypeIn(root),
            root.TryGetProperty("sentTime", out var sent)
            && sent.ValueKind == JsonValueKind.String
            && sent.TryGetDateTimeOffset(out var at)
                ? at
                : null,
            NumberIn(headers, RedriveCount.Header),
            NumberIn(headers, "MT-Redelivery-Count"),
            root.TryGetProperty("message", out var message) ? message.GetRawText() : null
        );
    }

    private static Guid? IdIn(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object
        && element.TryGetProperty(name, out var value)
        && value.ValueKind == JsonValueKind.String
        && value.TryGetGuid(out var id)
        && id != Guid.Empty
            ? id
            : null;

    private static int NumberIn(JsonElement element, string name) =>
        element.ValueKind != JsonValueKind.Object || !element.TryGetProperty(name, out var value) ? 0
        : value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) ? number
        : value.ValueKind == JsonValueKind.String
        && int.TryParse(value.GetString(), System.Globalization.CultureInfo.InvariantCulture, out var written)
            ? written
        : 0;

    private static string? TypeIn(JsonElement root)
    {
        if (!root.TryGetProperty("messageType", out var types) || types.ValueKind != JsonValueKind.Array)
            return null;
        foreach (var type in types.EnumerateArray())
        {
            if (
                type.ValueKind == JsonValueKind.String
                && type.GetString() is { } urn
                && urn.StartsWith(UrnPrefix, StringComparison.Ordinal)
            )
                return StorableText.Of(urn[UrnPrefix.Length..], 200);
        }

        return null;
    }
}
