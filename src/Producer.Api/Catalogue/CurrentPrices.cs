using Orders.Infrastructure.Reading;

namespace Orders.Producer.Api.Catalogue;

/// <summary>
/// Keeps the price list fresh. While the database is away the last one stays in use: nothing can be accepted then
/// anyway.
/// </summary>
internal sealed class CurrentPrices(CatalogueReader reader, ILogger<CurrentPrices> log)
    : Refresh("the catalogue", TimeSpan.FromSeconds(5), log)
{
    private volatile PriceList? _list;

    /// <summary>
    /// The price list; null until it was read for the first time, and as long as no step is deployed: an order without
    /// steps would count as completed and its goods never leave.
    /// </summary>
    public PriceList? List => _list;

    /// <inheritdoc />
    protected override async Task RefreshAsync(CancellationToken cancellationToken)
    {
        var assortment = await reader.ReadAssortmentAsync(cancellationToken);
        _list = assortment.RequiredSteps == 0 ? null : new PriceList(assortment);
    }

    /// <inheritdoc />
    protected override bool IsUrgent => _list is null;
}
