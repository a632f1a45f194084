namespace Orders.Infrastructure;

/// <summary>An article that can be ordered.</summary>
public sealed class CatalogueItem
{
    /// <summary><c>[A-Z0-9-]{3,32}</c>.</summary>
    public string Sku { get; init; } = "";

    /// <summary>Name shown to people.</summary>
    public string Name { get; init; } = "";

    /// <summary>Price in euros.</summary>
    public decimal PriceEur { get; init; }

    /// <summary>Price in US dollars.</summary>
    public decimal PriceUsd { get; init; }

    /// <summary>Price in pounds sterling.</summary>
    public decimal PriceGbp { get; init; }

    /// <summary>Value added tax that the prices contain, in per cent.</summary>
    public required decimal VatRate { get; init; }

    /// <summary>False when discontinued: known, but no longer sold.</summary>
    public bool Sold { get; init; } = true;
}
