using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using QueueWorkers.Hosting;

namespace Orders.Infrastructure.Tests.Personal;

/// <summary>PostgreSQL quotes rows in the details of an error, and rows hold names and addresses.</summary>
public sealed class ErrorDetailTests
{
    [TestCase("Include Error Detail=true")]
    [TestCase("include error detail=True")]
    [TestCase("IncludeErrorDetail=true")]
    public void Details_of_database_errors_are_refused_outside_Development(string setting)
    {
        Assert.That(
            () => Add($"Host=localhost;{setting}", environment: null),
            Throws
                .TypeOf<InvalidConfigurationException>()
                .With.Message.Contains("Include Error Detail")
                .And.Message.Contains("remove it")
        );
        Assert.That(() => Add($"Host=localhost;{setting}", "Development"), Throws.Nothing);
    }

    [Test]
    public void They_are_off_unless_somebody_asks() =>
        Assert.That(() => Add("Host=localhost", environment: null), Throws.Nothing);

    private static void Add(string connectionString, string? environment) =>
        new ServiceCollection().AddOrdersStore(
            new ConfigurationBuilder()
                .AddInMemoryCollection(
                    new Dictionary<string, string?>
                    {
                        ["ConnectionStrings:Postgres"] = connectionString,
                        ["environment"] = environment,
                    }
                )
                .Build()
        );
}
