using QueueWorkers.Messaging;
using Testcontainers.RabbitMq;

namespace Orders.Testing.Servers;

/// <summary>A RabbitMQ of a test's own, for what would disturb everybody on the shared one: an alarm.</summary>
public sealed class OwnBroker : IAsyncDisposable
{
    private const string User = "orders_admin";
    private const string Password = "tests-7Qm2xW9kLr";
    private const int AmqpPort = 5672;
    private const int ManagementPort = 15672;

    private readonly RabbitMqContainer _container;

    private OwnBroker(RabbitMqContainer container) => _container = container;

    /// <summary>How to reach it, as its administrator.</summary>
    public RabbitMqOptions Options =>
        new()
        {
            Host = _container.Hostname,
            Port = _container.GetMappedPublicPort(AmqpPort),
            Username = User,
            Password = Password,
            ManagementUri = new UriBuilder(
                Uri.UriSchemeHttp,
                _container.Hostname,
                _container.GetMappedPublicPort(ManagementPort)
            ).Uri,
        };

    /// <summary>Starts one.</summary>
    public static async Task<OwnBroker> StartAsync()
    {
        var container = new RabbitMqBuilder("rabbitmq:4.3-management")
            .WithUsername(User)
            .WithPassword(Password)
            .WithPortBinding(ManagementPort, assignRandomHostPort: true)
            .WithTmpfsMount("/var/lib/rabbitmq")
            .WithEnvironment("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "+sbwt none +sbwtdcpu none +sbwtdio none +Q 65536")
            .WithLabel(SharedServers.Label, "broker-own")
            .Build();
        await container.StartAsync();
        return new OwnBroker(container);
    }

    /// <summary>Raises the memory alarm, or ends it: the broker reads no more from connections that publish.</summary>
    public async Task AlarmAsync(bool isRaised)
    {
        var result = await _container.ExecAsync([
            "rabbitmqctl",
            "set_vm_memory_high_watermark",
            .. (string[])(isRaised ? ["absolute", "1MB"] : ["0.6"]),
        ]);
        if (result.ExitCode != 0)
            throw new InvalidOperationException($"The alarm cannot be set: {result.Stdout}{result.Stderr}");
    }

    /// <inheritdoc />
    public ValueTask DisposeAsync() => _container.DisposeAsync();
}
