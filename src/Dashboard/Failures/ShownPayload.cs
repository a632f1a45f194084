using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using QueueWorkers.DeadLetters;
using QueueWorkers.Messaging;

namespace Orders.Dashboard.Failures;

/// <summary>A payload as operators may see it.</summary>
/// <param name="Json">The payload; with masks where something is personal; null when it is no JSON.</param>
/// <param name="Text">The same as people read it.</param>
/// <param name="Hides">Whether anything is masked.</param>
internal sealed record ShownPayload(JsonNode? Json, string Text, bool Hides)
{
    // Its own escapes are for pages that do not escape: Razor does, and people want to read "Müller".
    private static readonly JsonSerializerOptions Readable = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>
    /// With the masks of <see cref="PayloadMask"/>. A payload whose type is unknown, or that cannot be read at all, is
    /// hidden as a whole.
    /// </summary>
    public static ShownPayload Masked(Failure failure, IMessageContracts contracts)
    {
        if (failure.Payload is null || ContractOf(failure.MessageType, contracts) is not { } type)
            return new ShownPayload(null, Viewing.Masked.Something, true);
        var hides = false;
        var shown = PayloadMask.Of(JsonNode.Parse(failure.Payload), type, ref hides);
        return new ShownPayload(shown, Write(shown), hides);
    }

    /// <summary>All of it.</summary>
    public static ShownPayload Whole(Failure failure)
    {
        if (failure.Payload is null)
            return new ShownPayload(null, System.Text.Encoding.UTF8.GetString(failure.Body), false);
        var payload = JsonNode.Parse(failure.Payload);
        return new ShownPayload(payload, Write(payload), false);
    }

    /// <summary>The type behind a message's name; null when it has none that this version knows.</summary>
    public static Type? ContractOf(string? messageType, IMessageContracts contracts) =>
        messageType is null ? null : contracts.Find(messageType);

    /// <summary>JSON as people read it; what is none, as it is.</summary>
    public static string Pretty(string json)
    {
        try
        {
            return Write(JsonNode.Parse(json));
        }
        catch (JsonException)
        {
            return json;
        }
    }

    private static string Write(JsonNode? node) => node?.ToJsonString(Readable) ?? "null";
}
