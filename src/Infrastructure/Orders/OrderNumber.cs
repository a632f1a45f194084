using System.Globalization;

namespace Orders.Infrastructure;

/// <summary>How the running numbers look to people.</summary>
public static class OrderNumber
{
    /// <summary>What stands before an invoice's number unless it is configured.</summary>
    public const string InvoicePrefix = "INV-";

    /// <summary>What stands before a credit note's number unless it is configured.</summary>
    public const string CreditNotePrefix = "CN-";

    /// <summary>An order's number, such as <c>O-00000042</c>.</summary>
    public static string Format(long number) => string.Create(CultureInfo.InvariantCulture, $"O-{number:D8}");

    /// <summary>An invoice's number as it was printed.</summary>
    /// <param name="printed">The text in the row; null in rows that were written before prefixes could be set.</param>
    /// <param name="number">The running number.</param>
    public static string Invoice(string? printed, long number) => printed ?? Numbered(InvoicePrefix, number);

    /// <summary>A credit note's number as it was printed.</summary>
    /// <param name="printed">The text in the row; null in rows that were written before prefixes could be set.</param>
    /// <param name="number">The running number.</param>
    public static string CreditNote(string? printed, long number) => printed ?? Numbered(CreditNotePrefix, number);

    private static string Numbered(string prefix, long number) =>
        string.Create(CultureInfo.InvariantCulture, $"{prefix}{number:D8}");
}
