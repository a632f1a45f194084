using System.Data;
using Npgsql;

namespace QueueWorkers.Data;

/// <summary>
/// Columns that may be null, by their names; the others are read by those of <see cref="DataReaderExtensions"/>. The
/// hot path reads by ordinal: the relay, claims, commits and the intake.
/// </summary>
public static class NamedColumns
{
    /// <summary>The column's value; null where the database has none.</summary>
    /// <exception cref="IndexOutOfRangeException">There is no such column.</exception>
    public static T? Optional<T>(this NpgsqlDataReader reader, string column)
        where T : struct
    {
        var ordinal = reader.GetOrdinal(column);
        return reader.IsDBNull(ordinal) ? null : reader.GetFieldValue<T>(ordinal);
    }

    /// <summary>The column's text; null where the database has none.</summary>
    /// <exception cref="IndexOutOfRangeException">There is no such column.</exception>
    public static string? OptionalText(this NpgsqlDataReader reader, string column)
    {
        var ordinal = reader.GetOrdinal(column);
        return reader.IsDBNull(ordinal) ? null : reader.GetString(ordinal);
    }
}
