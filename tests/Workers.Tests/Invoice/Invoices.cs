using System.Globalization;
using Orders.Infrastructure.Invoices;
using Orders.Infrastructure.Reading;
using Orders.Workers.Invoice;

namespace Orders.Workers.Tests.Invoice;

/// <summary>Invoices to render, and the fonts of this machine.</summary>
internal static class Invoices
{
    public static InvoiceFonts Fonts { get; } = InvoiceFonts.Load("/usr/share/fonts");

    public static InvoicePdf Document { get; } = new(Fonts);

    public static IssuedInvoice Of(
        string customer = "Zoë Müller",
        int lines = 2,
        string article = "Blue mug",
        string currency = "EUR",
        string locale = "en"
    ) =>
        Of(
            [
                .. Enumerable
                    .Range(1, lines)
                    .Select(i => new InvoiceLine($"MUG-{i:D3}", $"{article} {i}", i, 12.50m, i * 12.50m, 19m)),
            ],
            customer,
            currency,
            locale
        );

    public static IssuedInvoice Of(
        IReadOnlyList<InvoiceLine> lines,
        string customer = "Zoë Müller",
        string currency = "EUR",
        string? locale = "en"
    ) =>
        new(
            new Guid("0198a0c0-0000-7000-8000-000000000001"),
            42,
            "INV-00000042",
            DateTimeOffset.Parse("2026-11-23T23:30:00Z", CultureInfo.InvariantCulture),
            new DateOnly(2026, 11, 24),
            new InvoiceSnapshot(
                1234,
                new DateTimeOffset(2026, 11, 22, 9, 0, 0, TimeSpan.Zero),
                new Seller("Orders Ltd", "1 Example Street, 10115 Berlin, DE", "DE000000000"),
                customer,
                new ShippingAddress("Hafenstr. 1", "Hamburg", "20457", "DE"),
                currency,
                lines.Sum(a => a.Total),
                lines,
                locale,
                new DateOnly(2026, 11, 22)
            ),
            IsStored: false
        );
}
