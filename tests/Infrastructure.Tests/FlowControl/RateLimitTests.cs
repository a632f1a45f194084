using QueueWorkers.Steps;

namespace Orders.Infrastructure.Tests.FlowControl;

/// <summary>Limits as an operator writes them.</summary>
public sealed class RateLimitTests
{
    [TestCase("100/m", "100/m")]
    [TestCase("100/60s", "100/m")]
    [TestCase("5/10s per customer, 1000/d", "5/10s per customer, 1000/d")]
    [TestCase("", "")]
    public void A_limit_is_read_and_written(string text, string canonical) =>
        Assert.That(RateLimit.Format(RateLimit.ParseAll(text)), Is.EqualTo(canonical));

    [TestCase("100")]
    [TestCase("0/m")]
    [TestCase("5/0s")]
    [TestCase("-1/m")]
    [TestCase("many per minute")]
    [TestCase("5/m per Customer'; drop")]
    public void What_is_no_limit_is_refused_with_an_example(string text) =>
        Assert.That(() => RateLimit.ParseAll(text), Throws.TypeOf<FormatException>().With.Message.Contains(text));

    [TestCase(1, 3600, 1)]
    [TestCase(10, 60, 1)]
    [TestCase(100, 60, 5)]
    [TestCase(10, 1, 3)]
    [TestCase(1000, 1, 250)]
    public void A_bundle_is_a_twentieth_or_a_quarter_of_a_second(int permits, int seconds, int bundle) =>
        Assert.That(new RateLimit(permits, TimeSpan.FromSeconds(seconds)).Bundle, Is.EqualTo(bundle));
}
