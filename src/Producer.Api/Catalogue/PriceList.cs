using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;
using Orders.Infrastructure;
using Orders.Infrastructure.Reading;

namespace Orders.Producer.Api.Catalogue;

/// <summary>
/// The catalogue as it was a few seconds ago, and the steps of a new order: what accepting an order needs to know
/// without asking the database.
/// </summary>
internal sealed class PriceList(Assortment assortment)
{
    private readonly FrozenDictionary<string, CatalogueItem> _items = assortment.Items.ToFrozenDictionary(
        i => i.Sku,
        StringComparer.Ordinal
    );

    /// <summary>The steps that a new order has to go through, a bit each; never 0 in use.</summary>
    public int RequiredSteps { get; } = assortment.RequiredSteps;

    /// <summary>How many articles there are.</summary>
    public int Count => _items.Count;

    /// <summary>Finds an article, sold or discontinued.</summary>
    public bool TryGet(string sku, [MaybeNullWhen(false)] out CatalogueItem item) => _items.TryGetValue(sku, out item);
}
