using System.Globalization;

namespace Orders.Infrastructure;

/// <summary>
/// How texts, amounts and dates are written for a customer. The formats stand here and are not taken from ICU: the same
/// invoice gives the same bytes on every machine and with every version of ICU.
/// </summary>
public sealed class CustomerLocale
{
    /// <summary>The locale of an order that names none.</summary>
    public const string Default = "en";

    private static readonly CustomerLocale[] All =
    [
        new(Default, ",", ".", "-¤#", "yyyy-MM-dd", "%"),
        new("en-GB", ",", ".", "-¤#", "dd/MM/yyyy", "%"),
        new("en-US", ",", ".", "-¤#", "MM/dd/yyyy", "%"),
        new("de", ".", ",", "-# ¤", "dd.MM.yyyy", "\u00a0%"),
        new("de-AT", ".", ",", "-¤ #", "dd.MM.yyyy", "\u00a0%"),
        new("de-CH", "’", ".", "¤ -#", "dd.MM.yyyy", "%"),
    ];

    private readonly NumberFormatInfo _numbers;
    private readonly string _money;
    private readonly string _date;
    private readonly string _percent;

    // money: where the minus of a negative amount, the currency (¤) and the digits (#) stand; blanks do not break.
    private CustomerLocale(string name, string group, string separator, string money, string date, string percent)
    {
        Name = name;
        Language = name[..2];
        _numbers = new NumberFormatInfo
        {
            NumberGroupSeparator = group,
            NumberDecimalSeparator = separator,
            NumberDecimalDigits = 2,
        };
        _money = money.Replace(' ', '\u00a0');
        _date = date;
        _percent = percent;
    }

    /// <summary>The names of all locales, <see cref="Default"/> first.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. All.Select(l => l.Name)];

    /// <summary>The name, as in BCP 47: a language, or a language and a country.</summary>
    public string Name { get; }

    /// <summary>The language of texts: <c>en</c> or <c>de</c>.</summary>
    public string Language { get; }

    /// <summary>Finds a locale; <see cref="Default"/> when there is none of this name.</summary>
    /// <param name="name">The name; null for the default.</param>
    public static CustomerLocale Of(string? name) => Array.Find(All, l => l.Name == name) ?? All[0];

    /// <summary>Whether there is a locale of this name, which is case-sensitive.</summary>
    public static bool IsKnown(string name) => Array.Exists(All, l => l.Name == name);

    /// <summary>An amount with its currency and two decimals, such as <c>€1,234.50</c> or <c>1.234,50 €</c>.</summary>
    /// <param name="amount">The amount.</param>
    /// <param name="currency">ISO 4217; one without a sign of its own is written out, <c>CHF 1,234.50</c>.</param>
    public string Money(decimal amount, string currency)
    {
        var symbol = currency switch
        {
            "EUR" => "€",
            "USD" => "$",
            "GBP" => "£",
            _ => _money.Contains("¤#", StringComparison.Ordinal) ? currency + "\u00a0" : currency,
        };
        return _money
            .Replace("-", decimal.IsNegative(amount) && amount != 0 ? "-" : "", StringComparison.Ordinal)
            .Replace("¤", symbol, StringComparison.Ordinal)
            .Replace("#", Math.Abs(amount).ToString("N2", _numbers), StringComparison.Ordinal);
    }

    /// <summary>A day, in digits.</summary>
    public string Date(DateOnly day) => day.ToString(_date, CultureInfo.InvariantCulture);

    /// <summary>A rate in per cent, without superfluous zeros, such as <c>8.1%</c> or <c>19 %</c>.</summary>
    public string Percent(decimal rate) => rate.ToString("0.##", _numbers) + _percent;

    /// <summary>A whole number.</summary>
    public string Number(long number) => number.ToString("N0", _numbers);
}
