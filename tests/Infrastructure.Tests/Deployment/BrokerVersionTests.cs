using QueueWorkers.Deployment;
using QueueWorkers.Hosting;

namespace Orders.Infrastructure.Tests.Deployment;

/// <summary>A RabbitMQ with published vulnerabilities is refused by the deployment.</summary>
public sealed class BrokerVersionTests : SystemFixture
{
    [TestCase("4.3.5"), TestCase("4.3.6"), TestCase("4.4.0-rc.1"), TestCase("10.0.0"), TestCase("4.3.6+deb13")]
    public void A_version_with_the_fixes_is_accepted(string version) =>
        Assert.That(() => BrokerVersion.Require(version), Throws.Nothing);

    [TestCase("4.3.4"), TestCase("4.2.9"), TestCase("3.13.7"), TestCase("4.3"), TestCase(""), TestCase("unknown")]
    public void An_older_version_is_refused_with_what_to_do(string version) =>
        Assert.That(
            () => BrokerVersion.Require(version),
            Throws
                .TypeOf<InvalidConfigurationException>()
                .With.Message.Contains($"RabbitMQ must be 4.3.5 or newer, got '{version}'")
                .And.Message.Contains("Upgrade RabbitMQ")
        );

    [Test]
    public async Task The_deployment_asks_the_broker_itself() =>
        Assert.That(
            await TestSystem.Broker.Management.VersionAsync(CancellationToken.None),
            Does.Match(@"^\d+\.\d+\.\d+")
        );
}
