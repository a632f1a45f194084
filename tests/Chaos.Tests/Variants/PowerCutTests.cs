using System.Diagnostics;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Npgsql;
using Orders.Chaos.Checking;
using Orders.Chaos.Clients;
using Orders.Chaos.Collecting;
using Orders.Infrastructure.Deployment;
using Orders.Producer.Api;
using Orders.Testing;
using Orders.Testing.Servers;
using Orders.Workers;
using Testcontainers.PostgreSql;

namespace Orders.Chaos.Tests.Variants;

/// <summary>
/// A database server of its own, killed while orders are accepted. "Accepted" means written to disk; with
/// <c>synchronous_commit = off</c> it does not, and the checker has to see the difference.
/// Only the door is there: what follows acceptance has nothing to do with it.
/// </summary>
public sealed class PowerCutTests
{
    private const string Password = "orders_owner";
    private const string ApiKey = "ok_ChaosChaosChaosChaosChaosChaosChaosChaosCha";
    private const string Stored = "accepted orders are stored";
    private const int Orders = 20;

    [Test]
    public async Task Orders_survive_a_database_that_is_killed() =>
        Assert.That((await PlayAsync("on")).Broken, Does.Not.Contain(Stored));

    [Test]
    public async Task A_database_that_commits_without_writing_is_caught() =>
        Assert.That((await PlayAsync("off")).Broken, Does.Contain(Stored));

    private static async Task<Findings> PlayAsync(string synchronousCommit)
    {
        await using var server = new PostgreSqlBuilder("postgres:18")
            .WithUsername("orders_owner")
            .WithPassword(Password)
            .WithDatabase("orders")
            .WithCommand("-c", $"synchronous_commit={synchronousCommit}", "-c", "wal_writer_delay=10s")
            .WithLabel(SharedServers.Label, "power-cut")
            .Build();
        await server.StartAsync();
        await using var broker = await TestBroker.CreateAsync();
        await DeployAsync(server.GetConnectionString(), broker);
        // What was deployed is on disk; from here on only orders are written.
        await ExecuteAsync(server.GetConnectionString(), "checkpoint");
        await HoldWalWriterAsync(server);

        await using var history = new History();
        await using (var api = await StartApiAsync(server.GetConnectionString()))
        {
            using var client = new ChaosShopClient(
                new Uri(api.Urls.Single()),
                ApiKey,
                history,
                TimeSpan.FromSeconds(30)
            );
            var book = new OrderRegistry(1);
            await Task.WhenAll(
                Enumerable.Range(1, Orders).Select(n => client.PostAsync(book.Order(n), CancellationToken.None))
            );
            await DockerAsync("kill", server.Id);
            await api.StopAsync();
        }

        await DockerAsync("start", server.Id);
        var port = (await DockerAsync("port", server.Id, "5432/tcp")).Split('\n')[0].Split(':')[^1];
        await using var database = NpgsqlDataSource.Create(
            new NpgsqlConnectionStringBuilder(server.GetConnectionString())
            {
                Port = int.Parse(port, System.Globalization.CultureInfo.InvariantCulture),
            }.ConnectionString
        );
        await Eventually.Is(() => AnswersAsync(database), "the killed server answers again");
        return Checker.Check(
            await new DatabaseEvidence(database).ReadAsync() with
            {
                Posted = History.Fold(history.Events),
            }
        );
    }

    private static Task DeployAsync(string database, TestBroker broker) =>
        DeployCommand.RunAsync(
            new ConfigurationBuilder()
                .AddInMemoryCollection(
                    new Dictionary<string, string?>
                    {
                        ["ConnectionStrings:Postgres"] = database,
                        ["RabbitMq:Host"] = broker.Options.Host,
                        ["RabbitMq:Port"] = $"{broker.Options.EffectivePort}",
                        ["RabbitMq:VirtualHost"] = broker.Options.VirtualHost,
                        ["RabbitMq:Username"] = broker.Options.Username,
                        ["RabbitMq:Password"] = broker.Options.Password,
                        ["RabbitMq:ManagementUri"] = $"{broker.Options.ManagementUri}",
                        ["Deploy:DemoCatalogue"] = "true",
                        ["ORDERS_API_KEY"] = ApiKey,
                    }
                )
                .Build(),
            Steps.Catalogue,
            _ => { },
            CancellationToken.None
        );

    private static async Task<WebApplication> StartApiAsync(string database)
    {
        var api = ApiApplication.Build([
            "--urls=http://127.0.0.1:0",
            "--environment=Development",
            "--Logging:LogLevel:Default=None",
            $"--ConnectionStrings:Postgres={database}",
            "--Outbox:Relay=false",
            "--RabbitMq:Host=localhost",
            "--RabbitMq:Username=nobody",
            "--RabbitMq:Password=nothing",
        ]);
        await api.StartAsync();
        using var http = new HttpClient { BaseAddress = new Uri(api.Urls.Single()) };
        await Eventually.That(
            async () => (int)(await http.GetAsync("health/ready")).StatusCode,
            Is.EqualTo(200),
            "the status of the API's /health/ready"
        );
        return api;
    }

    // It would do late what a commit has left undone, and a busy machine may be later than that with the kill. A commit
    // that writes does so itself.
    private static async Task HoldWalWriterAsync(PostgreSqlContainer server)
    {
        await using var connection = new NpgsqlConnection(server.GetConnectionString());
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(
            "select pid from pg_stat_activity where backend_type = 'walwriter'",
            connection
        );
        await DockerAsync("exec", server.Id, "bash", "-c", $"kill -STOP {await command.ExecuteScalarAsync()}");
    }

    private static async Task ExecuteAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<bool> AnswersAsync(NpgsqlDataSource database)
    {
        try
        {
            await using var command = database.CreateCommand("select 1");
            return await command.ExecuteScalarAsync() is 1;
        }
        catch (NpgsqlException)
        {
            return false;
        }
    }

    private static async Task<string> DockerAsync(params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("docker", arguments) { RedirectStandardOutput = true })!;
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.That(process.ExitCode, Is.Zero, $"docker {string.Join(' ', arguments)}");
        return output.Trim();
    }
}
