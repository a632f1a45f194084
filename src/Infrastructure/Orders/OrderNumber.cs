using System.Globalization;

namespace Orders.Infrastructure;

/// <summary>How the running numbers look to people.</summary>
public static class OrderNumber
{
    /// <summary>An order's number, such as <c>O-00000042</c>.</summary>
    public static string Format(long number) => string.Create(CultureInfo.InvariantCulture, $"O-{number:D8}");

    /// <summary>An invoice's number, such as <c>INV-00000042</c>.</summary>
    public static string FormatInvoice(long number) => string.Create(CultureInfo.InvariantCulture, $"INV-{number:D8}");

    /// <summary>A credit note's number, such as <c>CN-00000042</c>.</summary>
    public static string FormatCreditNote(long number) =>
        string.Create(CultureInfo.InvariantCulture, $"CN-{number:D8}");
}
