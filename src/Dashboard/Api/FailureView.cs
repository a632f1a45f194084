using System.Text.Json;
using System.Text.Json.Nodes;
using Orders.Dashboard.Failures;
using QueueWorkers.DeadLetters;
using QueueWorkers.Messaging;

namespace Orders.Dashboard.Api;

/// <summary>A failure as the operator API shows it: like its page, with masks until it is revealed.</summary>
/// <param name="Failure">The failure; without body, payload and edit when something is masked.</param>
/// <param name="Payload">The payload as JSON, with masks; null when it is none, or is hidden as a whole.</param>
/// <param name="Headers">The headers as JSON.</param>
/// <param name="Text">The body as text, when it is some and nothing in it is masked.</param>
/// <param name="Edit">What was changed before it was sent again, with masks; null when nothing was.</param>
/// <param name="Masked">Whether anything is masked; <c>POST …/reveal</c> shows it.</param>
internal sealed record FailureView(
    JsonObject Failure,
    JsonNode? Payload,
    JsonNode? Headers,
    string? Text,
    JsonNode? Edit,
    bool Masked
)
{
    private static readonly string[] Content = ["body", "payload", "edit"];

    /// <summary>With masks.</summary>
    public static FailureView Of(Failure failure, IMessageContracts contracts, JsonSerializerOptions options)
    {
        var shown = ShownPayload.Masked(failure, contracts);
        if (!shown.Hides)
            return Whole(failure, options);
        var whole = Serialized(failure, options);
        foreach (var member in Content)
            whole.Remove(member);
        var edit = failure.Edit is null
            ? null
            : PayloadMask.OfDifferences(
                JsonNode.Parse(failure.Edit),
                ShownPayload.ContractOf(failure.MessageType, contracts),
                failure.Payload is null ? null : JsonNode.Parse(failure.Payload)
            );
        return new FailureView(whole, shown.Json, JsonNode.Parse(failure.Headers), null, edit, true);
    }

    /// <summary>All of it.</summary>
    public static FailureView Whole(Failure failure, JsonSerializerOptions options)
    {
        var text = System.Text.Encoding.UTF8.GetString(failure.Body);
        return new FailureView(
            Serialized(failure, options),
            ShownPayload.Whole(failure).Json,
            JsonNode.Parse(failure.Headers),
            text.Contains('\uFFFD', StringComparison.Ordinal) ? null : text,
            failure.Edit is null ? null : JsonNode.Parse(failure.Edit),
            false
        );
    }

    private static JsonObject Serialized(Failure failure, JsonSerializerOptions options) =>
        JsonSerializer.SerializeToNode(failure, options)!.AsObject();
}
