using Orders.Infrastructure.Reading;
using Orders.Producer.Api.Json;

namespace Orders.Producer.Api.Orders;

/// <summary><c>GET /catalogue</c>: what can be ordered, at which price, and how much of it is there now.</summary>
internal sealed class GetCatalogue(CatalogueReader reader)
{
    public async Task HandleAsync(HttpContext context)
    {
        var items = await reader.ReadStockAsync(context.RequestAborted);
        await JsonAnswer.WriteAsync(
            context,
            StatusCodes.Status200OK,
            [.. items.Select(CatalogueArticle.Of)],
            ApiJson.Default.CatalogueArticleArray
        );
    }
}

/// <summary>An article.</summary>
/// <param name="Sku">The article's code.</param>
/// <param name="Name">The article's name.</param>
/// <param name="Prices">Price of one piece in each currency.</param>
/// <param name="VatRate">Value added tax that the prices contain, in per cent.</param>
/// <param name="OnHand">Pieces that are there now. More may be ordered; such an order is rejected when its stock is
/// reserved.</param>
/// <param name="Sold">False when it cannot be ordered any more.</param>
public sealed record CatalogueArticle(
    string Sku,
    string Name,
    CataloguePrices Prices,
    decimal VatRate,
    int OnHand,
    bool Sold
)
{
    internal static CatalogueArticle Of(StockedItem stocked)
    {
        var item = stocked.Item;
        return new CatalogueArticle(
            item.Sku,
            item.Name,
            new CataloguePrices(item.PriceEur, item.PriceUsd, item.PriceGbp),
            item.VatRate,
            stocked.OnHand,
            item.Sold
        );
    }
}

/// <summary>Prices of an article.</summary>
/// <param name="EUR">In euros.</param>
/// <param name="USD">In US dollars.</param>
/// <param name="GBP">In pounds sterling.</param>
public sealed record CataloguePrices(
    [property: System.Text.Json.Serialization.JsonPropertyName("EUR")] decimal EUR,
    [property: System.Text.Json.Serialization.JsonPropertyName("USD")] decimal USD,
    [property: System.Text.Json.Serialization.JsonPropertyName("GBP")] decimal GBP
);
