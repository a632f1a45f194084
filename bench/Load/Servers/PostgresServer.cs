using System.Globalization;
using Npgsql;
using Orders.Bench.Load.Accounting;

namespace Orders.Bench.Load.Servers;

/// <summary>
/// The one database server of a run, the same settings for every system; each round gets a fresh database.
/// </summary>
public sealed class PostgresServer : IAsyncDisposable
{
    /// <summary>
    /// fsync and synchronous_commit keep their default, on. Checkpoints are asked for before each round instead of
    /// striking one system by chance.
    /// </summary>
    private static readonly string[] Settings =
    [
        "shared_buffers=256MB",
        "max_connections=200",
        "checkpoint_timeout=1h",
        "max_wal_size=8GB",
        "listen_addresses=127.0.0.1",
    ];

    private readonly Container container;
    private readonly NpgsqlDataSource administration;

    private PostgresServer(Container container, int port, string password)
    {
        this.container = container;
        Port = port;
        Password = password;
        administration = NpgsqlDataSource.Create(ConnectionString("postgres"));
    }

    public int Port { get; }

    public string Password { get; }

    public IResourceAccount Account => container.Account;

    public static async Task<PostgresServer> StartAsync(CancellationToken cancel)
    {
        var port = FreePort.Next();
        var password = Guid.NewGuid().ToString("N");
        var settings = Settings
            .Append(string.Create(CultureInfo.InvariantCulture, $"port={port}"))
            .SelectMany(setting => new[] { "-c", setting });
        var container = await Container.StartAsync(
            "postgres",
            "postgres:18",
            ["--shm-size", "256m", "--env", $"POSTGRES_PASSWORD={password}"],
            ["postgres", .. settings]
        );
        var server = new PostgresServer(container, port, password);
        try
        {
            await container.ReadyAsync("PostgreSQL", async () => await server.WalBytesAsync(cancel) > 0, cancel);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    public string ConnectionString(string database) =>
        $"Host=127.0.0.1;Port={Port};Database={database};Username=postgres;Password={Password};Include Error Detail=true;Max Auto Prepare=20;Auto Prepare Min Usages=2";

    public string Url(string database) => $"postgres://postgres:{Password}@127.0.0.1:{Port}/{database}";

    /// <summary>An empty database of that name; one left by an earlier round is dropped.</summary>
    public async Task CreateDatabaseAsync(string name, CancellationToken cancel)
    {
        await ExecuteAsync($"drop database if exists {name} with (force)", cancel);
        await ExecuteAsync($"create database {name}", cancel);
    }

    public Task CheckpointAsync(CancellationToken cancel) => ExecuteAsync("checkpoint", cancel);

    /// <summary>Whether autovacuum is at a table right now.</summary>
    public async Task<bool> IsVacuumingAsync(CancellationToken cancel)
    {
        await using var command = administration.CreateCommand(
            "select exists (select from pg_stat_activity where backend_type = 'autovacuum worker')"
        );
        return (bool)(await command.ExecuteScalarAsync(cancel))!;
    }

    /// <summary>Bytes of write-ahead log since the server was made.</summary>
    public async Task<long> WalBytesAsync(CancellationToken cancel)
    {
        await using var command = administration.CreateCommand(
            "select pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint"
        );
        return (long)(await command.ExecuteScalarAsync(cancel))!;
    }

    public async ValueTask DisposeAsync()
    {
        await administration.DisposeAsync();
        await container.DisposeAsync();
    }

    private async Task ExecuteAsync(string sql, CancellationToken cancel)
    {
        await using var command = administration.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(cancel);
    }
}
