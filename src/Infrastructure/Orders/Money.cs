using System.Globalization;

namespace Orders.Infrastructure;

/// <summary>How amounts look to people, the same on every machine.</summary>
public static class Money
{
    /// <summary>An amount with its currency's sign and two decimals, such as <c>€1,234.50</c>.</summary>
    /// <param name="amount">The amount.</param>
    /// <param name="currency">ISO 4217; one without a sign of its own is written in front: <c>CHF 1,234.50</c>.</param>
    public static string Format(decimal amount, string currency)
    {
        var sign = currency switch
        {
            "EUR" => "€",
            "USD" => "$",
            "GBP" => "£",
            _ => currency + " ",
        };
        return string.Create(CultureInfo.InvariantCulture, $"{sign}{amount:N2}");
    }
}
