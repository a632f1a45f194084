using Npgsql;
using NpgsqlTypes;

namespace Orders.Infrastructure.Intake;

/// <summary>Parameters that hold a column of many rows.</summary>
internal static class ArrayParameters
{
    /// <summary>Adds a column as an array, an element per item.</summary>
    public static void AddColumn<TItem, TValue>(
        this NpgsqlParameterCollection parameters,
        NpgsqlDbType type,
        IReadOnlyCollection<TItem> items,
        Func<TItem, TValue> column
    )
    {
        var values = new TValue[items.Count];
        var at = 0;
        foreach (var item in items)
            values[at++] = column(item);
        parameters.Add(new NpgsqlParameter<TValue[]> { TypedValue = values, NpgsqlDbType = NpgsqlDbType.Array | type });
    }
}
