using System.Text.Json.Nodes;
using QueueWorkers.DeadLetters;

namespace QueueWorkers.Redrive.Payloads;

/// <summary>
/// Changed payloads: one written by hand, or a patch for many. Both must fit the contract; headers and the envelope
/// cannot be changed.
/// </summary>
public sealed class PayloadEdits(PayloadContract contract)
{
    /// <summary>A failure's payload with a patch applied.</summary>
    /// <exception cref="InvalidPayloadException">The patch does not apply, or its result does not fit the
    /// contract.</exception>
    public string Patch(Failure failure, string patch)
    {
        if (failure.Payload is null)
            throw new InvalidPayloadException("The message has no payload that can be read.");
        var patched = JsonPatch.Apply(
            JsonNode.Parse(failure.Payload),
            JsonNode.Parse(patch) as JsonArray ?? throw new InvalidPayloadException("A patch is a list of operations.")
        );
        return Checked(failure, patched?.ToJsonString() ?? "null");
    }

    /// <summary>
    /// What a patch would change in a document in which values are replaced by marks, as JSON text. Its tests are left
    /// out: they were made with the values.
    /// </summary>
    /// <exception cref="InvalidPayloadException">The patch does not apply.</exception>
    public static string DifferencesOf(JsonNode? marked, JsonArray patch)
    {
        JsonArray changes =
        [
            .. patch
                .OfType<JsonObject>()
                .Where(o => (o["op"] as JsonValue)?.ToString() != "test")
                .Select(o => o.DeepClone()),
        ];
        return PayloadDiff.Between(marked?.ToJsonString(), JsonPatch.Apply(marked, changes)?.ToJsonString());
    }

    /// <summary>A payload written by hand, checked.</summary>
    /// <exception cref="InvalidPayloadException">It does not fit the contract.</exception>
    public string Checked(Failure failure, string payload) =>
        contract.ProblemOf(failure.MessageType, payload) is { } problem
            ? throw new InvalidPayloadException(problem)
            : payload;
}
