using Microsoft.Extensions.Configuration;
using Orders.Testing.Tls;
using QueueWorkers.Hosting;
using QueueWorkers.Messaging;

namespace Orders.Infrastructure.Tests.Tls;

/// <summary>Settings of TLS that would encrypt less than they say are refused at the start.</summary>
public sealed class TlsSettingsTests
{
    [TestCase("RabbitMq:CaFile must be a PEM file", "Tls", "true", "CaFile", "/nowhere/ca.pem")]
    [TestCase("RabbitMq:CaFile must be a PEM file", "Tls", "true", "CaFile", "/etc/hostname")]
    [TestCase("RabbitMq:Tls must be true with a CaFile", "CaFile", "right", "Tls", "false")]
    [TestCase(
        "RabbitMq:ManagementUri must begin with https://",
        "Tls",
        "true",
        "ManagementUri",
        "http://rabbitmq:15672"
    )]
    public void The_brokers(string says, string name, string value, string other, string otherValue) =>
        Refuses(
            configuration => RabbitMqOptions.Read(configuration, management: true),
            says,
            ("RabbitMq:Host", "rabbitmq"),
            ("RabbitMq:Username", "x"),
            ("RabbitMq:Password", "x"),
            ("RabbitMq:ManagementUri", "https://rabbitmq:15671"),
            ($"RabbitMq:{name}", value),
            ($"RabbitMq:{other}", otherValue)
        );

    [TestCase("Database:CaFile must be a PEM file", "Tls", "true", "CaFile", "/nowhere/ca.pem")]
    [TestCase("Database:Tls must be true with a CaFile", "CaFile", "right", "Tls", "false")]
    public void The_databases(string says, string name, string value, string other, string otherValue) =>
        Refuses(
            configuration => DatabaseOptions.Read(configuration),
            says,
            ($"Database:{name}", value),
            ($"Database:{other}", otherValue)
        );

    // As .env has it for a broker whose certificate is of a public authority.
    [Test]
    public void The_old_form_without_a_file_holds()
    {
        var options = RabbitMqOptions.Read(
            Of([
                ("RabbitMq:Host", "rabbitmq"),
                ("RabbitMq:Username", "x"),
                ("RabbitMq:Password", "x"),
                ("RabbitMq:Tls", "true"),
                ("RabbitMq:CaFile", ""),
            ])
        );
        Assert.That((options.Tls, options.CaFile, options.EffectivePort), Is.EqualTo((true, (string?)null, 5671)));
    }

    private static void Refuses(Action<IConfiguration> read, string says, params (string Name, string Value)[] settings)
    {
        using var authority = new TestAuthority();
        var configuration = Of([.. settings.Select(s => (s.Name, s.Value == "right" ? authority.CaFile : s.Value))]);
        Assert.That(
            () => read(configuration),
            Throws.TypeOf<InvalidConfigurationException>().With.Message.Contains(says)
        );
    }

    // Later settings win.
    private static IConfiguration Of((string Name, string Value)[] settings) =>
        new ConfigurationBuilder()
            .AddInMemoryCollection(
                settings.GroupBy(s => s.Name).Select(g => KeyValuePair.Create(g.Key, (string?)g.Last().Value))
            )
            .Build();
}
