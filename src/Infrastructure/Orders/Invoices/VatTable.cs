namespace Orders.Infrastructure.Invoices;

/// <summary>The value added tax that the lines of an invoice contain, per rate.</summary>
/// <param name="Rates">A row per rate, the highest first.</param>
public sealed record VatTable(IReadOnlyList<VatRow> Rates)
{
    /// <summary>Sum of the net amounts.</summary>
    public decimal Net => Rates.Sum(r => r.Net);

    /// <summary>Sum of the taxes.</summary>
    public decimal Tax => Rates.Sum(r => r.Tax);

    /// <summary>
    /// Takes the tax out of the gross lines. It is taken out of the sum of each rate and rounded once, half a cent up:
    /// rounded per line, the error would grow with the number of lines. Net and tax of a rate always add up to its
    /// gross sum.
    /// </summary>
    /// <returns>Null when a line has no rate: it was accepted before articles had one.</returns>
    public static VatTable? Of(IReadOnlyList<InvoiceLine> lines)
    {
        if (lines.Any(l => l.VatRate is null))
            return null;
        return new VatTable([
            .. lines
                .GroupBy(l => l.VatRate!.Value)
                .OrderByDescending(g => g.Key)
                .Select(g => VatRow.Of(g.Key, g.Sum(l => l.Total))),
        ]);
    }
}

/// <summary>The lines of one rate.</summary>
/// <param name="Rate">The rate, in per cent.</param>
/// <param name="Net">What the lines cost without the tax.</param>
/// <param name="Tax">The tax.</param>
/// <param name="Gross">What the lines cost.</param>
public sealed record VatRow(decimal Rate, decimal Net, decimal Tax, decimal Gross)
{
    internal static VatRow Of(decimal rate, decimal gross)
    {
        var tax = decimal.Round(gross * rate / (100 + rate), 2, MidpointRounding.AwayFromZero);
        return new VatRow(rate, gross - tax, tax, gross);
    }
}
