using Orders.Workers.Warehouse;
using QueueWorkers.Hosting;

namespace Orders.Workers.Tests.Warehouse;

public sealed class WarehouseOptionsTests
{
    [Test]
    public void A_configuration_that_cannot_work_is_refused_with_every_problem_and_its_remedy()
    {
        var refusal = Assert.Throws<InvalidConfigurationException>(() =>
            WarehouseOptions.Read(
                Settings.Of(
                    ("Warehouse:Url", "ftp://x"),
                    ("Warehouse:Secret", "whsec_short"),
                    ("Warehouse:PreviousSecret", "whsec_shorter"),
                    ("Warehouse:Timeout", "1"),
                    ("Warehouse:RetryAfterLimit", "600")
                )
            )
        )!;

        Assert.That(
            refusal.Message,
            Does.Contain("set Warehouse__Url")
                .And.Contain("set Warehouse__Secret")
                .And.Contain("set Warehouse__PreviousSecret")
                .And.Contain("set Warehouse__Timeout")
                .And.Contain("set Warehouse__RetryAfterLimit")
        );
        Assert.That(refusal.Message, Does.Not.Contain("short"), "a secret, even a wrong one, is not shown");
    }

    [TestCase("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", true)]
    [TestCase("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", false)]
    [TestCase("whsec_not base64!", false)]
    [TestCase("whsec_c2hvcnQ=", false)]
    [TestCase("whsec_", false)]
    [TestCase(null, false)]
    public void A_secret_is_the_prefix_and_the_base64_of_enough_bytes(string? secret, bool isOne) =>
        Assert.That(WarehouseOptions.ParseSecret(secret), isOne ? Has.Length.EqualTo(24) : Is.Null);
}
