using System.Diagnostics;

namespace Orders.Architecture.Tests.Dev;

/// <summary>
/// docker-compose.tls.yml for real: an order completes, <c>./dev</c> works, and no port takes plain text, neither on this
/// machine nor between containers.
/// </summary>
[Category("Long")]
[Platform("Linux")]
[FixtureLifeCycle(LifeCycle.SingleInstance)]
internal sealed class EncryptedInstallationTests
{
    private const string Project = "orders-tls-test";

    private readonly Dictionary<string, string> _environment = new()
    {
        ["COMPOSE_FILE"] = "docker-compose.yml:docker-compose.tls.yml",
        ["COMPOSE_PROJECT_NAME"] = Project,
        ["BIND_ADDRESS"] = "127.0.0.1",
        ["DEMO_CATALOGUE"] = "true",
        ["COMPOSE_PROFILES"] = "demo",
        ["API_PORT"] = $"{Clone.FreePort()}",
        ["DASHBOARD_PORT"] = $"{Clone.FreePort()}",
        ["OUTSIDE_WORLD_PORT"] = $"{Clone.FreePort()}",
        ["RABBITMQ_MANAGEMENT_PORT"] = $"{Clone.FreePort()}",
        ["TLS_FILES"] = Directory.CreateTempSubdirectory("orders-tls-").FullName,
    };

    [OneTimeSetUp]
    public async Task UpAsync() => await SucceedsAsync("bash", "dev", "up");

    [OneTimeTearDown]
    public async Task DownAsync()
    {
        await SucceedsAsync("bash", "dev", "down", "--volumes");
        Directory.Delete(_environment["TLS_FILES"], recursive: true);
    }

    [Test]
    public async Task An_order_completes()
    {
        var answer = await SucceedsAsync("bash", "dev", "post");
        Assert.That(answer.Output, Does.Contain("Completed in").And.Contain("https://127.0.0.1"));
    }

    [TestCase("health")]
    [TestCase("failures")]
    public Task A_command_works(string command) => SucceedsAsync("bash", "dev", command);

    [TestCase("rabbitmq", 5671, 5672)]
    [TestCase("rabbitmq", 15671, 15672)]
    [TestCase("rabbitmq", 15691, 15692)]
    [TestCase("api", 8443, 8080)]
    [TestCase("dashboard", 8443, 8080)]
    [TestCase("outside-world", 8443, 8025)]
    [TestCase("email", null, 8080)]
    public async Task A_container_finds_ports_with_TLS_only(string server, int? encrypted, int plain)
    {
        Assert.That((await ConnectAsync(server, plain)).Code, Is.Not.Zero, $"{server} {plain} in plain text");
        if (encrypted is { } port)
            Assert.That((await ConnectAsync(server, port)).Code, Is.Zero, $"{server} {port} with TLS");
    }

    [Test]
    public async Task PostgreSQL_takes_no_login_in_plain_text()
    {
        var answer = await RunAsync(
            "docker",
            "exec",
            $"{Project}-postgres-1",
            "psql",
            "host=postgres user=orders_owner dbname=orders password=x sslmode=disable"
        );
        Assert.That(answer.Errors, Does.Contain("no encryption"));
    }

    [TestCase("API_PORT")]
    [TestCase("DASHBOARD_PORT")]
    [TestCase("OUTSIDE_WORLD_PORT")]
    public void A_published_port_answers_no_plain_text(string port)
    {
        using var http = new HttpClient();
        Assert.That(
            () => http.GetAsync(new Uri($"http://127.0.0.1:{_environment[port]}/health/live")),
            Throws.TypeOf<HttpRequestException>()
        );
    }

    private Task<Answer> ConnectAsync(string server, int port) =>
        RunAsync(
            "docker",
            "exec",
            $"{Project}-warehouse-1",
            "timeout",
            "5",
            "bash",
            "-c",
            $"exec 3<>/dev/tcp/{server}/{port}"
        );

    private async Task<Answer> SucceedsAsync(string program, params string[] arguments)
    {
        var answer = await RunAsync(program, arguments);
        Assert.That(answer.Code, Is.Zero, $"{string.Join(' ', arguments)}: {answer.Text}");
        return answer;
    }

    private async Task<Answer> RunAsync(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = Repository.Root,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in _environment)
            start.Environment[name] = value;
        using var process = Process.Start(start)!;
        return await Clone.EndAsync(process);
    }
}
