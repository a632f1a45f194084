using System.Text;
using DotNet.Testcontainers.Configurations;
using Orders.Testing.Servers;
using Testcontainers.PostgreSql;

namespace Orders.Testing.Tls;

/// <summary>A PostgreSQL of a fixture's own that takes connections over the network with TLS only.</summary>
public sealed class TlsDatabase : IAsyncDisposable
{
    private const string Password = "tests-7Qm2xW9kLr";

    // Key and rules have to belong to the server's user, and what is copied into a container belongs to root.
    private const string Adopt =
        "mkdir -p /own && cp /tls/server.pem /tls/server.key /tls/hba.conf /own && chown -R postgres /own && chmod 600 /own/server.key && chmod 700 /own";

    private readonly PostgreSqlContainer _container;

    private TlsDatabase(PostgreSqlContainer container) => _container = container;

    /// <summary>Its address.</summary>
    public string Host => _container.Hostname;

    /// <summary>The owner's connection string; it says nothing of TLS.</summary>
    public string ConnectionString => _container.GetConnectionString();

    /// <summary>Starts one.</summary>
    public static async Task<TlsDatabase> StartAsync(TestCertificate certificate)
    {
        var container = new PostgreSqlBuilder("postgres:18")
            .WithUsername("orders_owner")
            .WithPassword(Password)
            .WithDatabase("orders")
            .WithLabel(SharedServers.Label, "database-tls")
            .WithResourceMapping(Encoding.UTF8.GetBytes(certificate.Pem), "/tls/server.pem")
            .WithResourceMapping(Encoding.UTF8.GetBytes(certificate.Key), "/tls/server.key")
            .WithResourceMapping(
                Encoding.UTF8.GetBytes("local all all trust\nhostssl all all all scram-sha-256\n"),
                "/tls/hba.conf"
            )
            .WithEntrypoint("bash", "-c", $"{Adopt} && exec docker-entrypoint.sh \"$@\"", "--")
            .WithCommand(
                "-cssl=on",
                "-cssl_cert_file=/own/server.pem",
                "-cssl_key_file=/own/server.key",
                "-chba_file=/own/hba.conf",
                "-cssl_min_protocol_version=TLSv1.2"
            )
            .Build();
        await container.StartAsync();
        return new TlsDatabase(container);
    }

    /// <summary>Gives it another certificate, for connections from now on.</summary>
    public async Task UseAsync(TestCertificate certificate)
    {
        await _container.CopyAsync(Encoding.UTF8.GetBytes(certificate.Pem), "/tls/server.pem", fileMode: Readable);
        await _container.CopyAsync(Encoding.UTF8.GetBytes(certificate.Key), "/tls/server.key", fileMode: Readable);
        await RunAsync(Adopt);
        await ReloadAsync();
    }

    /// <inheritdoc />
    public ValueTask DisposeAsync() => _container.DisposeAsync();

    private Task ReloadAsync() => RunAsync("psql -U orders_owner -d orders -c 'select pg_reload_conf()'");

    private static UnixFileModes Readable =>
        UnixFileModes.UserRead | UnixFileModes.UserWrite | UnixFileModes.GroupRead | UnixFileModes.OtherRead;

    private async Task RunAsync(string command)
    {
        var result = await _container.ExecAsync(["bash", "-c", command]);
        if (result.ExitCode != 0)
            throw new InvalidOperationException($"PostgreSQL's container does not run {command}: {result.Stderr}");
    }
}
