using Npgsql;

namespace Orders.Infrastructure.Inventory;

/// <summary>Reads which articles run out.</summary>
public sealed class LowStockReader(NpgsqlDataSource database)
{
    /// <summary>What a step's database role needs for it.</summary>
    public const string Grants = "SELECT ON stock, catalogue";

    private const int MostRows = 500;

    private const string Low = """
        select s.sku, c.name, s.on_hand from stock s join catalogue c using (sku) where c.sold and s.on_hand < $1
            and starts_with(s.sku, $3) order by s.on_hand, s.sku limit $2
        """;

    /// <summary>
    /// Articles that are sold and of which fewer pieces are on hand than given, the scarcest first; at most 500.
    /// </summary>
    /// <param name="below">The number of pieces.</param>
    /// <param name="articles">Only articles whose number begins so; empty for all.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    public async Task<IReadOnlyList<LowStock>> ReadAsync(
        int below,
        string articles,
        CancellationToken cancellationToken
    )
    {
        await using var command = database.CreateCommand(Low);
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = below });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = MostRows });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = articles });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var low = new List<LowStock>();
        while (await reader.ReadAsync(cancellationToken))
            low.Add(new LowStock(reader.GetString(0), reader.GetString(1), reader.GetInt32(2)));
        return low;
    }
}

/// <summary>An article that runs out.</summary>
/// <param name="Sku">The article.</param>
/// <param name="Name">Its name.</param>
/// <param name="OnHand">Pieces left.</param>
public sealed record LowStock(string Sku, string Name, int OnHand);
