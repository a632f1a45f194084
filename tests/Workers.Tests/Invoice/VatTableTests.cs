using Orders.Infrastructure.Invoices;

namespace Orders.Workers.Tests.Invoice;

public sealed class VatTableTests
{
    [Test]
    public void Tax_is_taken_out_of_the_sum_of_a_rate_and_not_line_by_line()
    {
        // Per line: 100 × round(0.0319) = 3.00. Of the sum: round(3.193) = 3.19.
        var vat = VatTable.Of([.. Enumerable.Repeat(Line(0.20m, 19m), 100)])!;

        Assert.That((vat.Net, vat.Tax), Is.EqualTo((16.81m, 3.19m)));
    }

    [TestCase(1.26, 5, 0.06)]
    [TestCase(0.63, 5, 0.03)]
    [TestCase(0.10, 25, 0.02)]
    [TestCase(0.12, 60, 0.05, Description = "0.045 exactly: half a cent is rounded up")]
    [TestCase(100, 8.1, 7.49)]
    [TestCase(99.99, 19, 15.96)]
    [TestCase(10, 0, 0)]
    public void A_tax_is_rounded_to_cents(decimal gross, decimal rate, decimal tax) =>
        Assert.That(VatTable.Of([Line(gross, rate)])!.Tax, Is.EqualTo(tax));

    [Test]
    public void Net_and_tax_of_each_rate_add_up_to_its_lines()
    {
        for (var cents = 1; cents <= 20_000; cents += 7)
        {
            var vat = VatTable.Of([Line(cents / 100m, 19m), Line(cents / 50m, 7m), Line(0.01m, 7m)])!;

            Assert.That(vat.Rates.Select(r => r.Rate), Is.EqualTo(new[] { 19m, 7m }));
            Assert.That(vat.Rates.Select(r => r.Net + r.Tax), Is.EqualTo(vat.Rates.Select(r => r.Gross)));
            Assert.That(vat.Net + vat.Tax, Is.EqualTo(cents / 100m + cents / 50m + 0.01m));
        }
    }

    [Test]
    public void Lines_without_a_rate_have_no_table() =>
        Assert.That(VatTable.Of([new InvoiceLine("MUG", "Mug", 1, 10m, 10m), Line(1m, 19m)]), Is.Null);

    private static InvoiceLine Line(decimal gross, decimal rate) => new("MUG", "Mug", 1, gross, gross, rate);
}
