namespace Orders.Infrastructure;

/// <summary>
/// The last invoice number of a series. A row and not a sequence: a rolled-back transaction gives its number back, so
/// the numbers have no gaps.
/// </summary>
public sealed class InvoiceCounter
{
    /// <summary>The series.</summary>
    public string Series { get; init; } = "";

    /// <summary>The last number issued; 0 before the first.</summary>
    public long Last { get; init; }
}
