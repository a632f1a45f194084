using Orders.Infrastructure;

namespace Orders.Workers.Tests;

public sealed class CustomerLocaleTests
{
    private static readonly DateOnly Day = new(2026, 1, 31);

    [TestCase("en", "€1,234.50", "-€1,234.50", "2026-01-31", "8.1%")]
    [TestCase("en-GB", "€1,234.50", "-€1,234.50", "31/01/2026", "8.1%")]
    [TestCase("en-US", "€1,234.50", "-€1,234.50", "01/31/2026", "8.1%")]
    [TestCase("de", "1.234,50_€", "-1.234,50_€", "31.01.2026", "8,1_%")]
    [TestCase("de-AT", "€_1.234,50", "-€_1.234,50", "31.01.2026", "8,1_%")]
    [TestCase("de-CH", "€_1’234.50", "€_-1’234.50", "31.01.2026", "8.1%")]
    public void Amounts_days_and_rates_are_written_as_usual(
        string name,
        string amount,
        string less,
        string day,
        string rate
    )
    {
        var locale = CustomerLocale.Of(name);

        Assert.That(locale.Name, Is.EqualTo(name));
        Assert.That(locale.Language, Is.EqualTo(name[..2]));
        // Blanks do not break.
        Assert.That(
            new[]
            {
                locale.Money(1234.5m, "EUR"),
                locale.Money(-1234.5m, "EUR"),
                locale.Date(Day),
                locale.Percent(8.10m),
            },
            Is.EqualTo(new[] { amount, less, day, rate }.Select(t => t.Replace('_', '\u00a0')))
        );
    }

    [TestCase("en", "CHF_12.00")]
    [TestCase("de", "12,00_CHF")]
    [TestCase("de-CH", "CHF_12.00")]
    public void A_currency_without_a_sign_is_written_out(string name, string amount) =>
        Assert.That(CustomerLocale.Of(name).Money(12m, "CHF"), Is.EqualTo(amount.Replace('_', '\u00a0')));

    [Test]
    public void Nothing_is_not_less_than_nothing() =>
        Assert.That(CustomerLocale.Of("en").Money(-0.00m, "EUR"), Is.EqualTo("€0.00"));

    [TestCase(null)]
    [TestCase("fr")]
    public void Without_a_known_locale_it_is_English(string? name) =>
        Assert.That(CustomerLocale.Of(name).Name, Is.EqualTo("en"));
}
