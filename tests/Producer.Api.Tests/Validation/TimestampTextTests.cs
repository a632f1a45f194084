using Orders.Producer.Api.Validation;

namespace Orders.Producer.Api.Tests.Validation;

internal sealed class TimestampTextTests
{
    [TestCase("2026-12-24T08:00:00+01:00", "2026-12-24T07:00:00.0000000")]
    [TestCase("2026-12-24T08:00Z", "2026-12-24T08:00:00.0000000")]
    [TestCase("2026-12-24t08:00:00.5z", "2026-12-24T08:00:00.5000000")]
    [TestCase("2026-12-24T08:00:00.1234567Z", "2026-12-24T08:00:00.1234567")]
    [TestCase("2026-12-24T08:00:00.123456789Z", "2026-12-24T08:00:00.1234567")]
    [TestCase("2026-12-24T08:00:00.000000001-00:30", "2026-12-24T08:30:00.0000000")]
    public void A_moment_of_rfc_3339_is_read(string text, string expected)
    {
        Assert.That(TimestampText.TryRead(text, out var moment), Is.True);
        Assert.That($"{moment.UtcDateTime:yyyy-MM-ddTHH:mm:ss.fffffff}", Is.EqualTo(expected));
    }

    [TestCase("")]
    [TestCase("z")]
    [TestCase("2026-12-24T08:00:00")]
    [TestCase("2026-12-24T08:00:00.Z")]
    [TestCase("2026-12-24T08:00:00.1234567890Z")]
    [TestCase("2026-12-24T08:00:00,5Z")]
    [TestCase("2026-12-24 08:00:00Z")]
    [TestCase("2026-12-24T08:00:00.123456789")]
    [TestCase("2026-12-24T08:00:00.123456789+25:00")]
    public void Another_text_is_not(string text) => Assert.That(TimestampText.TryRead(text, out _), Is.False);
}
