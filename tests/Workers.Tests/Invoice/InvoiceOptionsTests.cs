using Orders.Workers.Invoice;
using QueueWorkers.Hosting;

namespace Orders.Workers.Tests.Invoice;

public sealed class InvoiceOptionsTests
{
    private static readonly (string, string?)[] OwnSeller =
    [
        ("Invoice:Seller:Name", "Teehaus GmbH"),
        ("Invoice:Seller:Address", "Hafenstr. 1, 20457 Hamburg"),
        ("Invoice:Seller:TaxId", "DE123456789"),
    ];

    [Test]
    public void A_seller_is_enough()
    {
        var options = InvoiceOptions.Read(Tests.Settings.Of(OwnSeller));

        Assert.That(
            (options.Seller.TaxId, options.TimeZone, options.Prefix, options.FirstNumber),
            Is.EqualTo(("DE123456789", "UTC", "INV-", 1))
        );
    }

    [Test]
    public void A_demo_needs_no_seller()
    {
        // As compose passes on what is not set.
        var options = InvoiceOptions.Read(
            Tests.Settings.Of(("Invoice:Demo", "true"), ("Invoice:Seller:Name", ""), ("Invoice:TimeZone", ""))
        );

        Assert.That(options.Seller.Name, Is.EqualTo("Orders Ltd"));
    }

    [Test]
    public void Outside_the_demo_the_seller_is_required() =>
        Assert.That(
            () => InvoiceOptions.Read(Tests.Settings.Of()),
            Throws
                .TypeOf<InvalidConfigurationException>()
                .With.Message.Contains("set Invoice__Seller__Name")
                .And.Message.Contains("set Invoice__Seller__Address")
                .And.Message.Contains("set Invoice__Seller__TaxId")
        );

    [Test]
    public void Outside_the_demo_the_seller_of_the_demo_is_refused() =>
        Assert.That(
            () => InvoiceOptions.Read(Tests.Settings.Of([.. OwnSeller[..2], ("Invoice:Seller:TaxId", "DE000000000")])),
            Throws
                .TypeOf<InvalidConfigurationException>()
                .With.Message.Contains("expected your own")
                .And.Message.Contains("set Invoice__Seller__TaxId")
        );

    [Test]
    public void A_seller_of_ones_own_is_whole_in_a_demo_too() =>
        Assert.That(
            () => InvoiceOptions.Read(Tests.Settings.Of(("Invoice:Demo", "true"), ("Invoice:Seller:Name", "Teehaus"))),
            Throws.TypeOf<InvalidConfigurationException>().With.Message.Contains("set Invoice__Seller__Address")
        );

    [TestCase("TimeZone", "Europe/Atlantis")]
    [TestCase("TimeZone", "W. Europe Standard Time")]
    [TestCase("Prefix", "RE/2027/")]
    [TestCase("Prefix", "RE\"2027")]
    [TestCase("Prefix", "A-prefix-of-21-charac")]
    [TestCase("CreditNotePrefix", "INV-")]
    [TestCase("FirstNumber", "0")]
    [TestCase("FirstNumber", "1e3")]
    [TestCase("FirstCreditNote", "100000000")]
    [TestCase("Demo", "perhaps")]
    public void A_value_that_cannot_work_is_refused_with_the_variable_to_set(string setting, string value) =>
        Assert.That(
            () => InvoiceOptions.Read(Tests.Settings.Of([.. OwnSeller, ($"Invoice:{setting}", value)])),
            Throws
                .TypeOf<InvalidConfigurationException>()
                .With.Message.Contains($"'{value}'")
                .And.Message.Contains($"set Invoice__{setting}")
        );

    [Test]
    public async Task What_stands_in_dot_env_reaches_the_step()
    {
        var environment = await ComposeSettings.OfAsync(
            "invoice",
            ("DEMO_CATALOGUE", "false"),
            ("SELLER_NAME", "Teehaus \"Zum Anker\" GmbH"),
            ("SELLER_ADDRESS", "Hafenstr. 1, 20457 Hamburg"),
            ("SELLER_TAX_ID", "DE123456789"),
            ("INVOICE_TIME_ZONE", "Europe/Berlin"),
            ("INVOICE_PREFIX", "RE-"),
            ("INVOICE_FIRST_NUMBER", "5000"),
            ("CREDIT_NOTE_PREFIX", "ST-"),
            ("CREDIT_NOTE_FIRST_NUMBER", "700")
        );
        var options = InvoiceOptions.Read(
            Tests.Settings.Of([
                .. environment.Select(v => (v.Key.Replace("__", ":", StringComparison.Ordinal), (string?)v.Value)),
            ])
        );

        Assert.That(options.Demo, Is.False);
        Assert.That(
            options.Seller,
            Is.EqualTo(
                new Infrastructure.Invoices.Seller(
                    "Teehaus \"Zum Anker\" GmbH",
                    "Hafenstr. 1, 20457 Hamburg",
                    "DE123456789"
                )
            )
        );
        Assert.That(
            (options.TimeZone, options.Prefix, options.FirstNumber, options.CreditNotePrefix, options.FirstCreditNote),
            Is.EqualTo(("Europe/Berlin", "RE-", 5000, "ST-", 700))
        );
    }
}
