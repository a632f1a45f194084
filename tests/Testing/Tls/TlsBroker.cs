using System.Text;
using DotNet.Testcontainers.Configurations;
using DotNet.Testcontainers.Containers;
using Orders.Testing.Servers;
using QueueWorkers.Messaging;
using Testcontainers.RabbitMq;

namespace Orders.Testing.Tls;

/// <summary>A RabbitMQ of a fixture's own, with TLS for AMQP and management API, and AMQP in plain text beside it.</summary>
public sealed class TlsBroker : IAsyncDisposable
{
    private const string User = "orders_admin";
    private const string Password = "tests-7Qm2xW9kLr";

    private const string Configuration = """
        listeners.tcp.default = 5672
        listeners.ssl.default = 5671
        ssl_options.certfile = /tls/server.pem
        ssl_options.keyfile = /tls/server.key
        ssl_options.versions.1 = tlsv1.3
        ssl_options.versions.2 = tlsv1.2
        management.ssl.port = 15671
        management.ssl.certfile = /tls/server.pem
        management.ssl.keyfile = /tls/server.key

        """;

    private readonly RabbitMqContainer _container;

    private TlsBroker(RabbitMqContainer container) => _container = container;

    /// <summary>Its address.</summary>
    public string Host => _container.Hostname;

    /// <summary>How it is reached in plain text.</summary>
    public RabbitMqOptions Plain =>
        new()
        {
            Host = Host,
            Port = _container.GetMappedPublicPort(5672),
            Username = User,
            Password = Password,
        };

    /// <summary>Starts one.</summary>
    public static async Task<TlsBroker> StartAsync(TestCertificate certificate)
    {
        var container = new RabbitMqBuilder("rabbitmq:4.3-management")
            .WithUsername(User)
            .WithPassword(Password)
            .WithPortBinding(5671, assignRandomHostPort: true)
            .WithPortBinding(15671, assignRandomHostPort: true)
            .WithEnvironment("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "+sbwt none +sbwtdcpu none +sbwtdio none +Q 65536")
            .WithLabel(SharedServers.Label, "broker-tls")
            .WithResourceMapping(Encoding.UTF8.GetBytes(Configuration), "/etc/rabbitmq/conf.d/90-tls.conf")
            .WithResourceMapping(Encoding.UTF8.GetBytes(certificate.Pem), "/tls/server.pem")
            .WithResourceMapping(Encoding.UTF8.GetBytes(certificate.Key), "/tls/server.key")
            .Build();
        await container.StartAsync();
        return new TlsBroker(container);
    }

    /// <summary>How it is reached with TLS.</summary>
    /// <param name="authority">Whom its certificate must be of.</param>
    public RabbitMqOptions Encrypted(TestAuthority authority) =>
        Plain with
        {
            Tls = true,
            CaFile = authority.CaFile,
            Port = _container.GetMappedPublicPort(5671),
            ManagementUri = new UriBuilder(
                Uri.UriSchemeHttps,
                _container.Hostname,
                _container.GetMappedPublicPort(15671)
            ).Uri,
        };

    /// <summary>Gives it another certificate, for connections from now on.</summary>
    public async Task UseAsync(TestCertificate certificate)
    {
        await _container.CopyAsync(Encoding.UTF8.GetBytes(certificate.Pem), "/tls/server.pem", fileMode: Readable);
        await _container.CopyAsync(Encoding.UTF8.GetBytes(certificate.Key), "/tls/server.key", fileMode: Readable);
        await EvaluateAsync("ssl:clear_pem_cache().");
    }

    /// <summary>Closes every connection.</summary>
    public Task CloseConnectionsAsync() =>
        EvaluateAsync("[rabbit_networking:close_connection(P, \"test\") || P <- rabbit_networking:connections()].");

    /// <summary>The protocols of the connections with TLS.</summary>
    public async Task<string> ProtocolsAsync() =>
        (await RunAsync("rabbitmqctl", "list_connections", "ssl", "ssl_protocol")).Stdout;

    /// <inheritdoc />
    public ValueTask DisposeAsync() => _container.DisposeAsync();

    private static UnixFileModes Readable =>
        UnixFileModes.UserRead | UnixFileModes.UserWrite | UnixFileModes.GroupRead | UnixFileModes.OtherRead;

    private Task<ExecResult> EvaluateAsync(string code) => RunAsync("rabbitmqctl", "eval", code);

    private async Task<ExecResult> RunAsync(params string[] command)
    {
        var result = await _container.ExecAsync(command);
        return result.ExitCode == 0
            ? result
            : throw new InvalidOperationException(
                $"RabbitMQ does not run {string.Join(' ', command)}: {result.Stdout}{result.Stderr}"
            );
    }
}
