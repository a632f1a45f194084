using System.Text.Json;
using System.Text.Json.Serialization;
using QueueWorkers.Messaging;

namespace QueueWorkers.Redrive.Payloads;

/// <summary>
/// Whether a payload fits the contract of its type in the running version: no member missing, none unknown, none of
/// another kind.
/// </summary>
public sealed class PayloadContract(IMessageContracts contracts)
{
    private static readonly JsonSerializerOptions Strict = new(JsonSerializerDefaults.Web)
    {
        PropertyNameCaseInsensitive = false,
        NumberHandling = JsonNumberHandling.Strict,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    };

    /// <summary>What is wrong with a payload; null when it fits.</summary>
    /// <param name="messageType">The type's name, such as <c>Shop.Contracts:ParcelSent</c>; null when the message does
    /// not say.</param>
    /// <param name="payload">The message as JSON; null when there is none.</param>
    public string? ProblemOf(string? messageType, string? payload)
    {
        if (messageType is null)
            return "The message does not say its type.";
        if (contracts.Find(messageType) is not { } type)
            return $"This version knows no message type '{messageType}'.";
        if (payload is null)
            return "The message has no payload that can be read.";
        try
        {
            return JsonSerializer.Deserialize(payload, type, Strict) is null ? "The payload is null." : null;
        }
        catch (JsonException misfit)
        {
            return $"The payload does not fit {type.Name}: {misfit.Message}";
        }
    }
}
