using System.Globalization;
using System.Security.Cryptography;
using Npgsql;
using Orders.Bench.Load.Servers;

namespace Orders.Bench.Load.Systems;

/// <summary>
/// Orders itself, configured as it is shipped: nothing but addresses, passwords and ports is set here. The API is the
/// real one; the worker runs the four steps of bench/LightSteps, which write every row of the real ones but send no
/// mail, draw no page and call no warehouse.
/// </summary>
public static class OrdersSystem
{
    public const string Name = "orders";

    /// <summary>Creates it.</summary>
    /// <param name="servers">Where its rows and messages go.</param>
    /// <param name="outboxRows">So many messages may wait in the outbox before the API refuses orders; null for as many
    /// as it is shipped with.</param>
    public static BenchSystem Create(RunningServers servers, long? outboxRows = null)
    {
        var (api, worker) = (FreePort.Next(), FreePort.Next());
        var environment = Environment(servers, api);
        if (outboxRows is { } rows)
            environment["Outbox__MaxRows"] = rows.ToString(CultureInfo.InvariantCulture);
        var key = NewApiKey();
        return new BenchSystem(
            Name,
            "order and messages atomic; rows and outbox: fsync; quorum queues, publisher confirms, idempotency, permanent effect keys",
            servers.RabbitMq,
            Loopback(api),
            [Ready(api), Ready(worker)],
            new Dictionary<string, string> { ["Authorization"] = $"Bearer {key}" },
            cancel => PrepareAsync(servers, key, cancel),
            [
                new("api", "dotnet", ["Orders.Producer.Api.dll"], servers.Folders.Api, environment),
                new(
                    "worker",
                    "dotnet",
                    ["Orders.Bench.LightSteps.dll"],
                    servers.Folders.LightSteps,
                    Environment(servers, worker)
                ),
            ],
            EffectQueries.Orders
        );
    }

    /// <summary>
    /// A process with a relay and nothing else, on a deployment with a queue <c>sink</c> that takes what is published.
    /// </summary>
    public static (Func<CancellationToken, Task> Prepare, ChildProgram Program, Uri Ready) RelayAlone(
        RunningServers servers
    )
    {
        var port = FreePort.Next();
        var environment = Environment(servers, port);
        // How soon the relay notices that there is something to do, not how fast it then does it.
        environment["Outbox__PollInterval"] = "00:00:00.050";
        return (
            cancel => PrepareAsync(servers, NewApiKey(), cancel),
            new("relay", "dotnet", ["Orders.Bench.LightSteps.dll", "relay"], servers.Folders.LightSteps, environment),
            Ready(port)
        );
    }

    // What a real deployment does, then the shop: 1,000 articles with as many pieces as the others have.
    private static async Task PrepareAsync(RunningServers servers, string key, CancellationToken cancel)
    {
        await Command.RunAsync(
            "dotnet",
            [Path.Combine(servers.Folders.LightSteps, "Orders.Bench.LightSteps.dll"), "deploy"],
            new Dictionary<string, string>(Connections(servers))
            {
                ["RabbitMq__ManagementUri"] = servers.RabbitMq.ManagementUrl.ToString(),
                ["ORDERS_API_KEY"] = key,
                ["Deploy__Subscriptions__sink"] = "OrderRejected",
            }
        );
        await using var database = NpgsqlDataSource.Create(
            servers.Postgres.ConnectionString(BenchSystem.DatabaseName(Name))
        );
        await using var command = database.CreateCommand(await Resource.ReadAsync("orders.sql", cancel));
        await command.ExecuteNonQueryAsync(cancel);
    }

    private static Dictionary<string, string> Environment(RunningServers servers, int port) =>
        new(Connections(servers)) { ["ASPNETCORE_URLS"] = Loopback(port).ToString() };

    private static Dictionary<string, string> Connections(RunningServers servers) =>
        new()
        {
            ["ConnectionStrings__Postgres"] = servers.Postgres.ConnectionString(BenchSystem.DatabaseName(Name)),
            ["RabbitMq__Host"] = servers.RabbitMq.Url.Host,
            ["RabbitMq__Port"] = servers.RabbitMq.Url.Port.ToString(CultureInfo.InvariantCulture),
            ["RabbitMq__VirtualHost"] = RabbitMqServer.VirtualHost,
            ["RabbitMq__Username"] = RabbitMqServer.User,
            ["RabbitMq__Password"] = servers.RabbitMq.Password,
            ["PersonalData__Secret"] = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)),
            ["PGGSSENCMODE"] = "disable", // as in docker-compose.yml
            ["MASSTRANSIT_USAGE_TELEMETRY"] = "false",
        };

    // In the form the API demands: ok_ and 43 url-safe base64 characters.
    private static string NewApiKey() =>
        "ok_"
        + Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)).TrimEnd('=').Replace('+', '-').Replace('/', '_');

    private static Uri Loopback(int port) => new($"http://127.0.0.1:{port}");

    private static Uri Ready(int port) => new(Loopback(port), "/health/ready");
}
