using System.Data;
using Npgsql;

namespace Orders.Infrastructure.Reading;

/// <summary>Reads what can be ordered.</summary>
public sealed class CatalogueReader(NpgsqlDataSource database)
{
    private const string Items = "select sku, name, price_eur, price_usd, price_gbp, vat_rate, sold from catalogue";

    // Zero when nothing is deployed; an order that requires no step would count as completed at once, so the API
    // refuses to take one.
    private const string RequiredSteps =
        "select coalesce(bit_or(bit), 0) from step_catalogue where active and required";

    private const string Stock = """
        select c.sku, c.name, c.price_eur, c.price_usd, c.price_gbp, c.vat_rate, c.sold, coalesce(s.on_hand, 0) as on_hand
        from catalogue c left join stock s using (sku) order by c.sku
        """;

    /// <summary>Reads all articles, and the steps that a new order has to go through.</summary>
    /// <exception cref="NpgsqlException">The database cannot be read.</exception>
    public async Task<Assortment> ReadAssortmentAsync(CancellationToken cancellationToken)
    {
        await using var batch = database.CreateBatch();
        batch.BatchCommands.Add(new NpgsqlBatchCommand(Items));
        batch.BatchCommands.Add(new NpgsqlBatchCommand(RequiredSteps));
        Failpoint.Hit("api.before_read_catalogue", Outside.Database);
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        var items = new List<CatalogueItem>();
        while (await reader.ReadAsync(cancellationToken))
            items.Add(ItemFrom(reader));
        await reader.NextResultAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return new Assortment(items, reader.GetInt32(0));
    }

    /// <summary>Reads all articles with what is on hand, in the order of their SKUs.</summary>
    /// <exception cref="NpgsqlException">The database cannot be read.</exception>
    public async Task<IReadOnlyList<StockedItem>> ReadStockAsync(CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Stock);
        Failpoint.Hit("api.before_read_stock", Outside.Database);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var items = new List<StockedItem>();
        while (await reader.ReadAsync(cancellationToken))
            items.Add(new StockedItem(ItemFrom(reader), reader.GetInt32("on_hand")));
        return items;
    }

    private static CatalogueItem ItemFrom(NpgsqlDataReader reader) =>
        new()
        {
            Sku = reader.GetString("sku"),
            Name = reader.GetString("name"),
            PriceEur = reader.GetDecimal("price_eur"),
            PriceUsd = reader.GetDecimal("price_usd"),
            PriceGbp = reader.GetDecimal("price_gbp"),
            VatRate = reader.GetDecimal("vat_rate"),
            Sold = reader.GetBoolean("sold"),
        };
}

/// <summary>What can be ordered, and what an order has to go through.</summary>
/// <param name="Items">All articles, discontinued ones included.</param>
/// <param name="RequiredSteps">The bits of the required steps; 0 when no step has been deployed.</param>
public sealed record Assortment(IReadOnlyList<CatalogueItem> Items, int RequiredSteps);

/// <summary>An article and its stock.</summary>
/// <param name="Item">The article.</param>
/// <param name="OnHand">Pieces that are there now.</param>
public sealed record StockedItem(CatalogueItem Item, int OnHand);
