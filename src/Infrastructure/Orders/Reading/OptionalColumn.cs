using Npgsql;

namespace Orders.Infrastructure.Reading;

internal static class OptionalColumn
{
    /// <summary>
    /// The column's value, or null where the database has none. The row is in memory already, so there is nothing to
    /// await.
    /// </summary>
    public static T? Optional<T>(this NpgsqlDataReader reader, int column)
        where T : struct => reader.IsDBNull(column) ? null : reader.GetFieldValue<T>(column);

    /// <summary>The column's text, or null where the database has none.</summary>
    public static string? OptionalText(this NpgsqlDataReader reader, int column) =>
        reader.IsDBNull(column) ? null : reader.GetString(column);
}
