using System.Text.Json;
using System.Text.Json.Serialization;

namespace QueueWorkers.Redrive;

/// <summary>How a filter is written down in a redrive and in the audit record: only what was given.</summary>
internal static class FilterJson
{
    public static JsonSerializerOptions Options { get; } =
        new(JsonSerializerDefaults.Web)
        {
            DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
            Converters = { new JsonStringEnumConverter() },
        };
}
