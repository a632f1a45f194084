using System.Diagnostics;
using System.Net.Http.Headers;
using System.Text.Json;
using Orders.Testing;
using Orders.Workers;

namespace Orders.Architecture.Tests.Dev;

/// <summary>
/// <c>dotnet run --project deploy/AppHost</c> runs what docker-compose.yml runs: an order comes to its end, and each
/// step has a worker. It builds itself first, and its packages are fetched if they are not there.
/// </summary>
[Platform("Linux")]
[Category("Long")]
[NonParallelizable]
internal sealed class AppHostTests
{
    private const string Project = "deploy/AppHost";
    private static readonly TimeSpan ToStart = TimeSpan.FromMinutes(4);

    private HttpClient _http = null!;
    private Clone _clone = null!;

    [SetUp]
    public async Task CopyAsync()
    {
        _http = new HttpClient { Timeout = TimeSpan.FromSeconds(10) };
        _clone = new Clone();
        var settings = "deploy/rabbitmq/20-orders.conf";
        Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(_clone.Folder, settings))!);
        File.Copy(Path.Combine(Repository.Root, settings), Path.Combine(_clone.Folder, settings));
        var answer = await _clone.RunAsync("env");
        Assert.That(answer.Code, Is.Zero, answer.Text);
    }

    [TearDown]
    public void Remove()
    {
        _http.Dispose();
        _clone.Dispose();
    }

    [Test]
    public async Task An_order_comes_to_its_end_each_step_has_a_worker_and_nothing_is_left()
    {
        using var host = Start();
        try
        {
            await Eventually.That(() => IsReadyAsync(host, "API_PORT"), Is.True, "the API is ready", ToStart);
            await Eventually.That(
                () => IsReadyAsync(host, "DASHBOARD_PORT"),
                Is.True,
                "the dashboard is ready",
                ToStart
            );
            var posted = await _clone.RunAsync("post");
            Assert.That(posted.Code, Is.Zero, posted.Text);
            Assert.That(posted.Output, Does.Contain("Completed in "));
            await Eventually.That(
                WorkingStepsAsync,
                Is.EquivalentTo(Steps.Catalogue.Steps.Select(step => step.Name)),
                "steps that have a worker",
                ToStart
            );
            Assert.That(await ContainersAsync(), Has.Length.EqualTo(2), "containers: RabbitMQ and PostgreSQL");
        }
        finally
        {
            using var kill = Process.Start("kill", ["-TERM", $"{host.Id}"]);
            await host.WaitForExitAsync();
        }

        await Eventually.That(ContainersAsync, Is.Empty, "containers after its end", ToStart);
    }

    [Test]
    public async Task A_service_that_is_no_host_and_no_server_of_ours_is_named()
    {
        var compose = Path.Combine(_clone.Folder, "docker-compose.yml");
        var text = await File.ReadAllTextAsync(compose);
        await File.WriteAllTextAsync(
            compose,
            text.Replace("\nservices:\n", "\nservices:\n  cache: { image: redis }\n", StringComparison.Ordinal)
        );
        using var host = Start(isRead: true);
        var answer = await Clone.EndAsync(host);
        Assert.That(answer.Code, Is.EqualTo(2), answer.Text);
        Assert.That(answer.Errors, Does.Contain("the service 'cache' of the image redis, which is none of ours"));
    }

    // Without the launch profile, whose ports a developer on this machine may use.
    private Process Start(bool isRead = false)
    {
        var start = new ProcessStartInfo(
            "dotnet",
            ["run", "--project", Project, "--no-launch-profile", "--", $"--Compose:Folder={_clone.Folder}"]
        )
        {
            WorkingDirectory = Repository.Root,
            RedirectStandardOutput = isRead,
            RedirectStandardError = isRead,
        };
        foreach (var (name, value) in _clone.Settings.Where(s => s.Key.EndsWith("_PORT", StringComparison.Ordinal)))
            start.Environment[name] = value;
        start.Environment["COMPOSE_PROFILES"] = "demo";
        start.Environment["DOTNET_ENVIRONMENT"] = "Development";
        start.Environment["ASPIRE_ALLOW_UNSECURED_TRANSPORT"] = "true";
        start.Environment["ASPNETCORE_URLS"] = Url(Clone.FreePort());
        start.Environment["ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL"] = Url(Clone.FreePort());
        start.Environment["ASPIRE_RESOURCE_SERVICE_ENDPOINT_URL"] = Url(Clone.FreePort());
        return Process.Start(start)!;
    }

    private async Task<bool> IsReadyAsync(Process host, string port)
    {
        Assert.That(host.HasExited, Is.False, "the app host has ended; its output says why");
        try
        {
            using var answer = await _http.GetAsync(new Uri($"{Url(Port(port))}/health/ready"));
            return answer.IsSuccessStatusCode;
        }
        catch (Exception fault) when (fault is HttpRequestException or TaskCanceledException)
        {
            // Nobody listens yet, or somebody who has only begun to.
            return false;
        }
    }

    private async Task<string[]> WorkingStepsAsync()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{Url(Port("DASHBOARD_PORT"))}/api/workers");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", _clone.Setting("ORDERS_OPERATOR_KEY"));
        using var answer = await _http.SendAsync(request);
        answer.EnsureSuccessStatusCode();
        using var workers = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
        return
        [
            .. workers
                .RootElement.EnumerateArray()
                .Where(worker => worker.GetProperty("stoppedAt").ValueKind == JsonValueKind.Null)
                .SelectMany(worker => worker.GetProperty("steps").EnumerateArray())
                .Select(step => step.GetString()!),
        ];
    }

    // By their passwords: another app host may run on this machine.
    private async Task<string[]> ContainersAsync()
    {
        var ids = await DockerAsync(
            "ps",
            "--all",
            "--quiet",
            "--filter",
            "label=com.microsoft.developer.usvc-dev.name"
        );
        var ours = new List<string>();
        foreach (var id in ids.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var environment = await DockerAsync("inspect", "--format", "{{.Config.Env}}", id);
            string[] passwords = [_clone.Setting("POSTGRES_OWNER_PASSWORD"), _clone.Setting("RABBITMQ_ADMIN_PASSWORD")];
            if (passwords.Any(password => environment.Contains(password, StringComparison.Ordinal)))
                ours.Add(id);
        }

        return [.. ours];
    }

    private static async Task<string> DockerAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo("docker", arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var output = await Task.WhenAll(
            process.StandardOutput.ReadToEndAsync(),
            process.StandardError.ReadToEndAsync()
        );
        await process.WaitForExitAsync();
        // One that went between the list and the look is gone.
        return process.ExitCode == 0 || output[1].Contains("No such object", StringComparison.Ordinal)
            ? output[0]
            : throw new InvalidOperationException($"docker {string.Join(' ', arguments)}: {output[1]}");
    }

    private int Port(string name) => int.Parse(_clone.Settings[name], null);

    private static string Url(int port) => $"http://127.0.0.1:{port}";
}
