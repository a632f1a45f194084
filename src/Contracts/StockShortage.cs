namespace Orders.Contracts;

/// <summary>One line that could not be filled.</summary>
/// <param name="Sku">The article.</param>
/// <param name="Requested">Pieces ordered.</param>
/// <param name="Available">Pieces on hand when the decision was made.</param>
public sealed record StockShortage(string Sku, int Requested, int Available);
