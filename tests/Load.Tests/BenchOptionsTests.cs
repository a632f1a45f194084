namespace Orders.Bench.Load.Tests;

public sealed class BenchOptionsTests
{
    [Test]
    public void Bullmq_means_both_of_its_variants() =>
        Assert.That(
            string.Join(", ", BenchOptions.Parse(["--systems", "bullmq"]).Systems),
            Is.EqualTo("bullmq-one, bullmq-four")
        );

    [TestCase("--against", "masstransit-plain", "orders, masstransit-plain")]
    [TestCase("--systems", "bullmq-four,orders", "orders, bullmq-four")]
    [TestCase("--systems", "masstransit-plain", "masstransit-plain")]
    public void Orders_is_first_whenever_it_takes_part(string option, string value, string expected) =>
        Assert.That(string.Join(", ", BenchOptions.Parse([option, value]).Systems), Is.EqualTo(expected));

    [Test]
    public void Every_problem_is_told_at_once() =>
        Assert.That(
            () => BenchOptions.Parse(["--systems", "sidekiq", "--orders", "many", "--fast", "yes"]),
            Throws
                .ArgumentException.With.Message.Contains("`sidekiq`")
                .And.Message.Contains("--orders must be 100–1000000, got `many`")
                .And.Message.Contains("`--fast`")
        );

    [Test]
    public void Without_options_every_system_runs_three_rounds_of_4000_after_4500()
    {
        var options = BenchOptions.Parse([]);
        Assert.That((options.Rounds, options.Orders, options.Warmup, options.Clients), Is.EqualTo((3, 4000, 4500, 32)));
    }
}
