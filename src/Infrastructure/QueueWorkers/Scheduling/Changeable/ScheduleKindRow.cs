using System.Data;
using System.Text.Json;
using System.Text.Json.Serialization;
using Npgsql;

namespace QueueWorkers.Scheduling.Changeable;

/// <summary>A kind as the deployment has stored it: what other processes know of it.</summary>
public sealed class ScheduleKindRow
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        Converters = { new JsonStringEnumConverter() },
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    /// <summary>Its name.</summary>
    public string Name { get; init; } = "";

    /// <summary>What a firing does.</summary>
    public string About { get; init; } = "";

    /// <summary>The name of the message's type.</summary>
    public string Message { get; init; } = "";

    /// <summary>The fields, JSON.</summary>
    public string Fields { get; init; } = "[]";

    /// <summary>The shortest time between two firings.</summary>
    public TimeSpan SmallestInterval { get; init; }

    /// <summary>The most schedules of it.</summary>
    public int Most { get; init; }

    /// <summary>False once it has left the code.</summary>
    public bool Active { get; init; } = true;

    internal static string FieldsOf(ScheduleKind kind) => JsonSerializer.Serialize(kind.Fields, Json);

    /// <summary>A row with the columns name, about, message, fields, smallest_interval and most.</summary>
    internal static ScheduleKind Read(NpgsqlDataReader reader) =>
        new(
            reader.GetString("name"),
            reader.GetString("about"),
            reader.GetString("message"),
            JsonSerializer.Deserialize<ScheduleField[]>(reader.GetString("fields"), Json) ?? [],
            reader.GetFieldValue<TimeSpan>("smallest_interval"),
            reader.GetInt32("most")
        );
}
