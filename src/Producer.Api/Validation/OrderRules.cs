using System.Collections.Frozen;
using System.Globalization;
using Orders.Infrastructure;
using Orders.Infrastructure.Intake;
using Orders.Producer.Api.Catalogue;

namespace Orders.Producer.Api.Validation;

/// <summary>
/// What an order has to mean, so that it can be accepted. Prices and names come from the catalogue, never from the
/// client.
/// </summary>
internal static class OrderRules
{
    public const int MostLines = 100;
    public const int LargestQuantity = 1000;
    public static readonly TimeSpan LongestDelay = TimeSpan.FromDays(90);

    // numeric(14,2) in the database.
    private const decimal LargestTotal = 999_999_999_999.99m;

    private static readonly FrozenSet<string> Currencies = FrozenSet.Create(
        StringComparer.Ordinal,
        "EUR",
        "USD",
        "GBP"
    );

    private static readonly string Locales = string.Join(", ", CustomerLocale.Names);

    /// <summary>Checks an order and prices its lines.</summary>
    /// <param name="draft">The order.</param>
    /// <param name="catalogue">What is sold.</param>
    /// <param name="now">The present.</param>
    /// <param name="lines">The priced lines; of use only when there are no errors.</param>
    /// <param name="releaseAt">When its steps may begin; null for at once, also when that moment has passed.</param>
    /// <returns>Everything that is wrong; null when nothing is.</returns>
    public static FieldErrors? Check(
        OrderDraft draft,
        PriceList catalogue,
        DateTimeOffset now,
        out NewOrderLine[] lines,
        out DateTimeOffset? releaseAt
    )
    {
        FieldErrors? errors = null;
        void Fault(string pointer, string? message)
        {
            if (message is not null)
                (errors ??= new FieldErrors()).Add(pointer, message);
        }

        Fault("/customer/name", VisibleText.FaultIn(draft.CustomerName, 100));
        if (!MailAddress.IsValid(draft.CustomerEmail))
            Fault(
                "/customer/email",
                "must be one bare mail address of at most 254 characters, such as zoe@example.com"
            );
        if (draft.Locale is { } locale && !CustomerLocale.IsKnown(locale))
            Fault("/customer/locale", $"must be one of {Locales}");
        if (!Currencies.Contains(draft.Currency))
            Fault("/currency", "must be EUR, USD or GBP");
        Fault("/shippingAddress/line1", VisibleText.FaultIn(draft.ShipLine1, 200));
        Fault("/shippingAddress/city", VisibleText.FaultIn(draft.ShipCity, 100));
        if (draft.ShipPostalCode.Length > 0)
            Fault("/shippingAddress/postalCode", VisibleText.FaultIn(draft.ShipPostalCode, 20));
        else if (!Countries.WithoutPostalCode.Contains(draft.ShipCountry))
            Fault("/shippingAddress/postalCode", "is required, except in countries without postal codes");
        if (!Countries.Codes.Contains(draft.ShipCountry))
            Fault(
                "/shippingAddress/country",
                "must be a country code of ISO 3166-1 alpha-2 in capital letters, such as DE, or XK"
            );
        if (draft.Notes is { } notes)
            Fault("/notes", VisibleText.FaultIn(notes, 500, mayBeBlank: true));

        releaseAt = null;
        if (draft.ReleaseAt is { } text)
        {
            if (!TimestampText.TryRead(text, out var moment))
                Fault("/releaseAt", "must be a moment of RFC 3339 with an offset, such as 2026-12-24T08:00:00+01:00");
            else if (moment > now + LongestDelay)
                Fault("/releaseAt", FormattableString.Invariant($"must be at most {LongestDelay.Days} days ahead"));
            else if (moment > now)
                releaseAt = moment;
        }

        if (draft.Lines.Count is 0 or > MostLines)
            Fault("/lines", FormattableString.Invariant($"must have 1–{MostLines} lines, found {draft.Lines.Count}"));
        lines = new NewOrderLine[draft.Lines.Count];
        for (var i = 0; i < lines.Length; i++)
        {
            var (sku, quantity) = draft.Lines[i];
            if (quantity is < 1 or > LargestQuantity)
                Fault(At(i, "quantity"), FormattableString.Invariant($"must be 1–{LargestQuantity}"));
            if (!catalogue.TryGet(sku, out var item))
                Fault(
                    At(i, "sku"),
                    IsSku(sku) ? "is not in the catalogue; see /catalogue" : "must be 3–32 characters of A–Z, 0–9 and -"
                );
            else if (!item.Sold)
                Fault(At(i, "sku"), "is no longer sold; see /catalogue");
            else if (Repeats(draft.Lines, i))
                Fault(At(i, "sku"), "appears in an earlier line; give one line with the sum");
            else
                lines[i] = new NewOrderLine(item.Sku, item.Name, quantity, PriceOf(item, draft.Currency), item.VatRate);
        }

        if (errors is null && lines.Sum(l => l.Total) > LargestTotal)
            Fault("/lines", $"must not cost more than {LargestTotal.ToString(CultureInfo.InvariantCulture)} in all");
        return errors;
    }

    private static string At(int line, string member) => new Pointer("/lines", line, member).ToString();

    // At most a hundred lines: looking back costs less than a set.
    private static bool Repeats(List<DraftLine> lines, int at)
    {
        for (var i = Math.Min(at, MostLines) - 1; i >= 0; i--)
        {
            if (lines[i].Sku == lines[at].Sku)
                return true;
        }

        return false;
    }

    private static bool IsSku(string text) =>
        text.Length is >= 3 and <= 32 && text.All(c => char.IsAsciiLetterUpper(c) || char.IsAsciiDigit(c) || c == '-');

    private static decimal PriceOf(CatalogueItem item, string currency) =>
        currency switch
        {
            "EUR" => item.PriceEur,
            "USD" => item.PriceUsd,
            _ => item.PriceGbp,
        };
}
