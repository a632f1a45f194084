using Microsoft.EntityFrameworkCore;

namespace Orders.Infrastructure;

/// <summary>A small shop to play with. Written only into an empty catalogue.</summary>
public sealed class DemoCatalogue(OrdersDbContext context)
{
    private const int Plenty = 1_000_000;

    private static readonly (string Sku, string Name, decimal Eur, decimal VatRate, int OnHand, bool Sold)[] Articles =
    [
        ("MUG-BLUE", "Mug, blue", 9.90m, 19m, Plenty, true),
        ("MUG-WHITE", "Mug, white", 8.90m, 19m, Plenty, true),
        ("MUG-ENAMEL", "Enamel mug", 14.50m, 19m, Plenty, true),
        ("TEAPOT-CLAY", "Clay teapot, 0.8 l", 39.00m, 19m, Plenty, true),
        ("TEA-GREEN-100", "Green tea, 100 g", 7.40m, 7m, Plenty, true),
        ("TEA-BLACK-100", "Black tea, 100 g", 6.20m, 7m, Plenty, true),
        ("COFFEE-BEAN-1KG", "Coffee beans, 1 kg", 21.90m, 7m, Plenty, true),
        ("FILTER-PAPER-80", "Filter paper, 80 sheets", 3.10m, 19m, Plenty, true),
        ("KETTLE-STEEL", "Kettle, steel, 1.5 l", 49.00m, 19m, Plenty, true),
        ("GRINDER-HAND", "Hand grinder", 64.00m, 19m, Plenty, true),
        ("SPOON-SET-6", "Tea spoons, set of 6", 12.00m, 19m, Plenty, true),
        ("TRAY-OAK", "Oak tray", 34.50m, 19m, Plenty, true),
        ("CLOTH-LINEN", "Linen cloth", 11.20m, 19m, Plenty, true),
        ("JAR-GLASS-1L", "Glass jar, 1 l", 8.00m, 19m, Plenty, true),
        ("HONEY-500", "Honey, 500 g", 9.20m, 7m, Plenty, true),
        ("SUGAR-CANE-500", "Cane sugar, 500 g", 3.90m, 7m, Plenty, true),
        ("BISCUIT-BUTTER", "Butter biscuits", 4.40m, 7m, Plenty, true),
        ("CHOC-DARK-70", "Dark chocolate, 70 %", 3.80m, 7m, Plenty, true),
        ("CANDLE-WAX", "Beeswax candle", 13.50m, 19m, Plenty, true),
        ("POSTER-TEA", "Poster, tea garden", 19.00m, 19m, Plenty, true),
        ("LAMP-LAST-ONE", "Lamp, last piece", 129.00m, 19m, 1, true),
        ("VASE-RARE", "Vase, small series", 89.00m, 19m, 5, true),
        ("BOWL-EMPTY", "Bowl, out of stock", 24.00m, 19m, 0, true),
        ("MUG-OLD", "Mug, discontinued", 5.00m, 19m, 12, false),
    ];

    /// <summary>Writes it.</summary>
    public async Task SeedAsync(CancellationToken cancellationToken)
    {
        if (await context.Catalogue.AnyAsync(cancellationToken))
            return;

        foreach (var (sku, name, eur, vatRate, onHand, sold) in Articles)
        {
            context.Catalogue.Add(
                new CatalogueItem
                {
                    Sku = sku,
                    Name = name,
                    PriceEur = eur,
                    PriceUsd = decimal.Round(eur * 1.1m, 2),
                    PriceGbp = decimal.Round(eur * 0.85m, 2),
                    VatRate = vatRate,
                    Sold = sold,
                }
            );
            context.Stock.Add(
                new StockItem
                {
                    Sku = sku,
                    Initial = onHand,
                    OnHand = onHand,
                }
            );
        }

        await context.SaveChangesAsync(cancellationToken);
    }
}
