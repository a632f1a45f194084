using System.Text.Json;
using System.Text.Json.Serialization;

namespace Orders.Workers.Warehouse;

/// <summary>Tells the warehouse not to send an order.</summary>
/// <param name="OrderId">The order.</param>
public sealed record Recall(Guid OrderId)
{
    /// <summary>What tells it from a pick list.</summary>
    [JsonPropertyName("recall")]
    public bool IsRecall => true;

    /// <summary>One recall per order, however many messages ask for it.</summary>
    [JsonIgnore]
    public string Key => $"recall-{OrderId}";

    /// <summary>As UTF-8 JSON.</summary>
    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, RecallJson.Default.Recall);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(Recall))]
internal sealed partial class RecallJson : JsonSerializerContext;
