using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using Orders.Bench.Load.Accounting;

namespace Orders.Bench.Load.Servers;

/// <summary>
/// RabbitMQ 4.3 on loopback ports of its own, the same settings for every system; each round gets a fresh virtual host.
/// Schedulers that do not spin and statistics each ten seconds are what docker-compose.yml ships.
/// </summary>
public sealed class RabbitMqServer : IBroker
{
    public const string VirtualHost = "bench";
    public const string User = "bench";

    private readonly Container container;
    private readonly HttpClient management;
    private readonly Uri metrics;

    private RabbitMqServer(Container container, Ports ports, string password)
    {
        this.container = container;
        Password = password;
        ManagementUrl = new Uri($"http://127.0.0.1:{ports.Management}");
        Url = new Uri($"amqp://{User}:{password}@127.0.0.1:{ports.Amqp}/{VirtualHost}");
        metrics = new Uri($"http://127.0.0.1:{ports.Metrics}/metrics");
        management = new HttpClient { BaseAddress = new Uri(ManagementUrl, "/api/") };
        management.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(
            "Basic",
            Convert.ToBase64String(Encoding.UTF8.GetBytes($"{User}:{password}"))
        );
    }

    public Uri Url { get; }

    public Uri ManagementUrl { get; }

    public string Password { get; }

    public IResourceAccount Account => container.Account;

    public static async Task<RabbitMqServer> StartAsync(string workFolder, CancellationToken cancel)
    {
        var ports = new Ports(FreePort.Next(), FreePort.Next(), FreePort.Next(), FreePort.Next(), FreePort.Next());
        var password = Guid.NewGuid().ToString("N");
        var configuration = Path.Combine(workFolder, "rabbitmq.conf");
        await File.WriteAllTextAsync(configuration, ports.Configuration, cancel);
        string[] options =
        [
            "--env",
            $"RABBITMQ_DEFAULT_USER={User}",
            "--env",
            $"RABBITMQ_DEFAULT_PASS={password}",
            "--env",
            "RABBITMQ_NODENAME=bench@localhost",
            "--env",
            "ERL_EPMD_ADDRESS=127.0.0.1",
            "--env",
            $"ERL_EPMD_PORT={ports.PortMapper}",
            "--env",
            $"RABBITMQ_DIST_PORT={ports.Distribution}",
            "--env",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=+sbwt none +sbwtdcpu none +sbwtdio none +Q 65536 -kernel inet_dist_use_interface {127,0,0,1}",
            "--volume",
            $"{configuration}:/etc/rabbitmq/conf.d/90-bench.conf:ro",
        ];
        var container = await Container.StartAsync("rabbitmq", "rabbitmq:4.3-management", options, []);
        var server = new RabbitMqServer(container, ports, password);
        try
        {
            await container.ReadyAsync(
                "RabbitMQ",
                async () => (await server.management.GetAsync("overview", cancel)).IsSuccessStatusCode,
                cancel
            );
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    public async Task ResetAsync(CancellationToken cancel)
    {
        await management.DeleteAsync($"vhosts/{VirtualHost}", cancel); // 404 the first time
        (await management.PutAsJsonAsync($"vhosts/{VirtualHost}", new { }, cancel)).EnsureSuccessStatusCode();
        (
            await management.PutAsJsonAsync(
                $"permissions/{VirtualHost}/{User}",
                new
                {
                    configure = ".*",
                    write = ".*",
                    read = ".*",
                },
                cancel
            )
        ).EnsureSuccessStatusCode();
    }

    /// <summary>
    /// From the broker's global counters, which are exact at once; the management API's figures lag by seconds.
    /// </summary>
    public async Task<long> MessagesAsync(CancellationToken cancel) =>
        (await management.GetStringAsync(metrics, cancel))
            .Split('\n')
            .Where(line => line.StartsWith("rabbitmq_global_messages_delivered_total{", StringComparison.Ordinal))
            .Sum(line => (long)double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture));

    public async ValueTask DisposeAsync()
    {
        management.Dispose();
        await container.DisposeAsync();
    }

    private sealed record Ports(int Amqp, int Management, int Metrics, int Distribution, int PortMapper)
    {
        public string Configuration =>
            string.Create(
                CultureInfo.InvariantCulture,
                $"""
                listeners.tcp.1 = 127.0.0.1:{Amqp}
                management.tcp.ip = 127.0.0.1
                management.tcp.port = {Management}
                prometheus.tcp.ip = 127.0.0.1
                prometheus.tcp.port = {Metrics}
                collect_statistics_interval = 10000

                """
            );
    }
}
