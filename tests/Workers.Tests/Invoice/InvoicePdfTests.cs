using System.Diagnostics;
using Orders.Infrastructure.Invoices;
using UglyToad.PdfPig;
using UglyToad.PdfPig.Content;

namespace Orders.Workers.Tests.Invoice;

public sealed class InvoicePdfTests
{
    [Test]
    public void An_invoice_says_who_what_how_many_and_how_much()
    {
        var text = Text(Invoices.Document.Render(Invoices.Of(lines: 3)));

        foreach (
            var expected in (string[])
                [
                    "INVOICE",
                    "INV-00000042",
                    "O-00001234",
                    "2026-11-24",
                    "Orders Ltd",
                    "DE000000000",
                    "Zoë Müller",
                    "Hafenstr. 1",
                    "20457 Hamburg",
                    "MUG-002",
                    "Blue mug 3",
                    "€12.50",
                    "€37.50",
                    "€75.00",
                    "Page 1 of 1",
                ]
        )
            Assert.That(text, Does.Contain(expected));
    }

    [Test]
    public void A_German_invoice_has_German_words_amounts_and_dates()
    {
        var text = Text(Invoices.Document.Render(Invoices.Of(lines: 100, locale: "de")));

        foreach (
            var expected in (string[])
                [
                    "RECHNUNG",
                    "Nummer INV-00000042",
                    "Datum 24.11.2026",
                    "Bestellung O-00001234 vom 22.11.2026",
                    "Steuernummer DE000000000",
                    "Bezeichnung",
                    "12,50\u00a0€",
                    "63.125,00\u00a0€",
                    "MwSt. 19\u00a0%",
                    "53.046,22\u00a0€",
                    "10.078,78\u00a0€",
                    "Alle Preise enthalten die Mehrwertsteuer.",
                    "Seite 1 von",
                ]
        )
            Assert.That(text, Does.Contain(expected));
        Assert.That(text, Does.Not.Contain("VAT").And.Not.Contain("Page"));
    }

    [Test]
    public void The_tax_of_each_rate_is_shown_and_given_back_by_the_credit_note()
    {
        var invoice = Invoices.Of([
            new InvoiceLine("MUG", "Mug", 3, 9.99m, 29.97m, 19m),
            new InvoiceLine("TEA", "Tea", 1, 0.99m, 0.99m, 7m),
            new InvoiceLine("BOOK", "Book", 1, 10m, 10m, 0m),
        ]);
        var note = new IssuedCreditNote(7, "CN-00000007", invoice.IssuedAt, invoice.IssuedOn, invoice);

        Assert.That(
            Text(Invoices.Document.Render(invoice)),
            Does.Contain("NetVATGross")
                .And.Contain("VAT 19%€25.18€4.79€29.97")
                .And.Contain("VAT 7%€0.93€0.06€0.99")
                .And.Contain("VAT 0%€10.00€0.00€10.00")
                .And.Contain("Total (EUR)€36.11€4.85€40.96")
        );
        Assert.That(
            Text(Invoices.Document.Render(note)),
            Does.Contain("Takes back invoice INV-00000042 of 2026-11-24")
                .And.Contain("VAT 19%-€25.18-€4.79-€29.97")
                .And.Contain("VAT 7%-€0.93-€0.06-€0.99")
                .And.Contain("Total (EUR)-€36.11-€4.85-€40.96")
        );
    }

    [Test]
    public void An_accent_typed_as_a_character_of_its_own_is_drawn_with_its_letter() =>
        Assert.That(Text(Invoices.Document.Render(Invoices.Of(customer: "Zoe\u0308"))), Does.Contain("Zoë"));

    [Test]
    public void All_of_a_hundred_lines_are_there_under_a_head_on_each_page()
    {
        using var pdf = PdfDocument.Open(Invoices.Document.Render(Invoices.Of(lines: 100)));
        var pages = pdf.GetPages().Select(Text).ToArray();

        Assert.That(pages, Has.Length.GreaterThan(1));
        Assert.That(pages, Has.All.Contain("Description").And.All.Contain("Unit price"));
        for (var i = 0; i < pages.Length; i++)
            Assert.That(pages[i], Does.Contain($"Page {i + 1} of {pages.Length}"));
        var all = string.Join(' ', pages);
        for (var i = 1; i <= 100; i++)
            Assert.That(all, Does.Contain($"MUG-{i:D3}").And.Contain($"Blue mug {i}"));
        Assert.That(pages[^1], Does.Contain("€63,125.00"));
    }

    [Test]
    public void A_long_name_is_broken_into_lines_and_nothing_of_it_is_lost()
    {
        var name = string.Concat(Enumerable.Repeat("很长的名字", 20));

        Assert.That(
            Text(Invoices.Document.Render(Invoices.Of(customer: name))).Replace(" ", "", StringComparison.Ordinal),
            Does.Contain(name)
        );
    }

    [Test]
    public void The_same_snapshot_gives_the_same_bytes()
    {
        var first = Invoices.Document.Render(Invoices.Of(customer: "王小明 Wang"));
        // PDF dates count seconds: a clock that found its way into the file shows after one.
        var begun = Stopwatch.GetTimestamp();
        Assert.That(() => Stopwatch.GetElapsedTime(begun), Is.GreaterThan(TimeSpan.FromSeconds(1.1)).After(3_000, 50));

        Assert.That(Invoices.Document.Render(Invoices.Of(customer: "王小明 Wang")), Is.EqualTo(first));
    }

    [Test]
    public void Rendered_in_parallel_the_bytes_are_still_the_same()
    {
        var expected = Invoices.Document.Render(Invoices.Of(lines: 20));
        var rendered = new byte[40][];

        Parallel.For(0, rendered.Length, i => rendered[i] = Invoices.Document.Render(Invoices.Of(lines: 20)));

        Assert.That(rendered, Is.All.EqualTo(expected));
    }

    [TestCase("Zoë Müller", 3, 12_000)]
    [TestCase("محمد عبد الله", 3, 15_000)]
    [TestCase("王小明 Wang 山田 김민수", 100, 20_000)]
    public void An_invoice_is_small(string customer, int lines, int bytes) =>
        Assert.That(Invoices.Document.Render(Invoices.Of(customer, lines)), Has.Length.LessThanOrEqualTo(bytes));

    internal static string Text(byte[] pdf)
    {
        using var document = PdfDocument.Open(pdf);
        return string.Join(' ', document.GetPages().Select(Text));
    }

    // Letters in the order of the file: a cell's text stays together.
    internal static string Text(Page page) => string.Concat(page.Letters.Select(l => l.Value));
}
