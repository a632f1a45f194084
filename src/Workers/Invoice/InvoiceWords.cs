namespace Orders.Workers.Invoice;

/// <summary>The words of an invoice in one language.</summary>
internal sealed class InvoiceWords
{
    private static readonly InvoiceWords English = new()
    {
        Invoice = "INVOICE",
        CreditNote = "CREDIT NOTE",
        TaxId = "Tax ID",
        Number = "Number",
        Date = "Date",
        Order = (number, day) => $"Order {number} of {day}",
        TakesBack = (number, day) => $"Takes back invoice {number} of {day}",
        Article = "Article",
        Description = "Description",
        Quantity = "Quantity",
        UnitPrice = "Unit price",
        Vat = "VAT",
        Amount = "Amount",
        Net = "Net",
        Gross = "Gross",
        VatAt = rate => $"VAT {rate}",
        Total = "Total",
        PricesAreGross = "All prices include VAT.",
        Page = (page, pages) => $"Page {page} of {pages}",
    };

    private static readonly InvoiceWords German = new()
    {
        Invoice = "RECHNUNG",
        CreditNote = "STORNORECHNUNG",
        TaxId = "Steuernummer",
        Number = "Nummer",
        Date = "Datum",
        Order = (number, day) => $"Bestellung {number} vom {day}",
        TakesBack = (number, day) => $"Storniert Rechnung {number} vom {day}",
        Article = "Artikel",
        Description = "Bezeichnung",
        Quantity = "Menge",
        UnitPrice = "Einzelpreis",
        Vat = "MwSt.",
        Amount = "Betrag",
        Net = "Netto",
        Gross = "Brutto",
        VatAt = rate => $"MwSt. {rate}",
        Total = "Summe",
        PricesAreGross = "Alle Preise enthalten die Mehrwertsteuer.",
        Page = (page, pages) => $"Seite {page} von {pages}",
    };

    public required string Invoice { get; init; }

    public required string CreditNote { get; init; }

    public required string TaxId { get; init; }

    public required string Number { get; init; }

    public required string Date { get; init; }

    /// <summary>The order, from its number and day.</summary>
    public required Func<string, string, string> Order { get; init; }

    /// <summary>The invoice that a credit note takes back, from its number and day.</summary>
    public required Func<string, string, string> TakesBack { get; init; }

    public required string Article { get; init; }

    public required string Description { get; init; }

    public required string Quantity { get; init; }

    public required string UnitPrice { get; init; }

    public required string Vat { get; init; }

    public required string Amount { get; init; }

    public required string Net { get; init; }

    public required string Gross { get; init; }

    /// <summary>The lines of a rate, from the rate.</summary>
    public required Func<string, string> VatAt { get; init; }

    public required string Total { get; init; }

    public required string PricesAreGross { get; init; }

    /// <summary>A page, from its number and their count.</summary>
    public required Func<int, int, string> Page { get; init; }

    /// <summary>The words of a language.</summary>
    public static InvoiceWords Of(string language) => language == "de" ? German : English;
}
