using System.Diagnostics;
using System.Globalization;
using Orders.Architecture.Tests.Dev;
using Orders.Testing;
using Orders.Workers;

namespace Orders.Architecture.Tests.Observability;

/// <summary>
/// <c>./dev up --observability</c> for real: Prometheus has scraped all replicas of all hosts while orders were posted,
/// and then every expression of rules and dashboards is asked of it. Traces and logs have arrived at their viewer.
/// </summary>
[Category("Long")]
[Platform("Linux")]
[NonParallelizable]
[FixtureLifeCycle(LifeCycle.SingleInstance)]
internal sealed class ObservedInstallationTests
{
    private const int Posted = 100;

    // What is scraped and evaluated every ten seconds; the machine may be busy.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly Dictionary<string, string> _environment = new()
    {
        ["COMPOSE_FILE"] = "docker-compose.yml:deploy/observability/compose.yml",
        ["COMPOSE_PROJECT_NAME"] = Project,
        ["BIND_ADDRESS"] = "127.0.0.1",
        ["DEMO_CATALOGUE"] = "true",
        ["COMPOSE_PROFILES"] = "demo",
        ["API_PORT"] = $"{Clone.FreePort()}",
        ["DASHBOARD_PORT"] = $"{Clone.FreePort()}",
        ["OUTSIDE_WORLD_PORT"] = $"{Clone.FreePort()}",
        ["RABBITMQ_MANAGEMENT_PORT"] = $"{Clone.FreePort()}",
        ["PROMETHEUS_PORT"] = $"{Clone.FreePort()}",
        ["ALERTMANAGER_PORT"] = $"{Clone.FreePort()}",
        ["GRAFANA_PORT"] = $"{Clone.FreePort()}",
        ["TRACES_PORT"] = $"{Clone.FreePort()}",
    };

    private PrometheusApi _prometheus = null!;

    private static string Project =>
        Environment.GetEnvironmentVariable("OBSERVED_PROJECT") is { Length: > 0 } name ? name : "orders-observed";

    [OneTimeSetUp]
    public async Task UpAsync()
    {
        await DevAsync("up", "--scale", "email=2");
        await DevAsync("post", $"{Posted}");
        _prometheus = new PrometheusApi(int.Parse(_environment["PROMETHEUS_PORT"], CultureInfo.InvariantCulture));
    }

    [OneTimeTearDown]
    public async Task DownAsync()
    {
        _prometheus?.Dispose();
        await DevAsync("down", "--volumes");
    }

    [Test, Order(1)]
    public async Task Every_replica_of_every_host_is_scraped()
    {
        var expected = Steps.Catalogue.Steps.Select(step => step.Name).Concat(["email", "api", "dashboard"]);
        await Eventually.That(
            async () =>
                (await _prometheus.QueryAsync("up{job=\"orders\"} == 1")).Select(s => s.Labels["service"]).Order(),
            Is.EqualTo(expected.Order()),
            "processes that answer their scrape",
            Patience
        );
    }

    [Test, Order(2)]
    public async Task What_was_posted_is_counted()
    {
        await Eventually.That(
            async () => await ValueAsync("sum(orders_accepted_total)"),
            Is.EqualTo($"{Posted}"),
            "orders accepted",
            Patience
        );
        await Eventually.That(
            async () => await ValueAsync("sum(orders_completed_total)"),
            Is.EqualTo($"{Posted}"),
            "orders completed",
            Patience
        );
    }

    [Test, Order(3)]
    public async Task Every_query_runs_and_has_data_where_data_is_expected()
    {
        Assert.That(QueriesWithData.All, Has.Count.GreaterThan(40), "queries that must have data");
        foreach (var (where, expression) in QueriesWithData.All)
            await Eventually.That(
                () => _prometheus.QueryAsync(expression),
                Is.Not.Empty,
                $"{where}: {expression}",
                Patience
            );
        foreach (var (_, expression) in ObservabilityFiles.Expressions)
            await _prometheus.QueryAsync(expression);
    }

    [Test, Order(4)]
    public async Task Every_rule_is_evaluated_without_a_fault_and_no_alert_is_left()
    {
        await Eventually.That(
            async () =>
                (await _prometheus.RulesAsync())
                    .Where(rule => rule.GetProperty("health").GetString() == "ok")
                    .Select(rule => rule.GetProperty("name").GetString()),
            Is.EquivalentTo(ObservabilityFiles.Rules.Select(rule => rule.Name)),
            "rules that were evaluated",
            Patience
        );
        // While the hosts started there may have been some.
        await Eventually.That(
            async () => (await _prometheus.QueryAsync("ALERTS")).Select(alert => alert.Labels["alertname"]),
            Is.Empty,
            "alerts",
            TimeSpan.FromMinutes(4)
        );
    }

    [Test, Order(5)]
    public async Task Traces_and_logs_of_all_hosts_are_in_the_viewer_for_whoever_has_the_password()
    {
        var address = $"http://127.0.0.1:{_environment["TRACES_PORT"]}/api/telemetry";
        using var http = new HttpClient();
        using (var refused = await http.GetAsync(new Uri($"{address}/resources")))
            Assert.That((int)refused.StatusCode, Is.EqualTo(401));
        // Its own work makes no trace.
        using (var page = await http.GetAsync(new Uri($"http://127.0.0.1:{_environment["DASHBOARD_PORT"]}/login")))
            Assert.That((int)page.StatusCode, Is.EqualTo(200));
        http.DefaultRequestHeaders.Add("x-api-key", await SettingAsync("TELEMETRY_PASSWORD"));
        foreach (var host in (string[])["orders-api", "orders-dashboard", "orders-workers"])
            await Eventually.That(
                () => http.GetStringAsync(new Uri($"{address}/resources")),
                Does.Match($"\"name\":\"{host}\"[^}}]*\"hasLogs\":true,\"hasTraces\":true"),
                host,
                Patience
            );
        await Eventually.That(
            () => http.GetStringAsync(new Uri($"{address}/traces?resource=orders-api&limit=10000")),
            Does.Contain("\"name\":\"POST /orders\""),
            "traces of the API",
            Patience
        );
    }

    // The last one: it stops a container.
    [Test, Order(9)]
    public async Task A_process_that_is_gone_is_an_alert_that_reaches_Alertmanager()
    {
        await RunAsync("docker", "compose", "stop", "rabbitmq");
        using var http = new HttpClient();
        await Eventually.That(
            () => http.GetStringAsync(new Uri($"http://127.0.0.1:{_environment["ALERTMANAGER_PORT"]}/api/v2/alerts")),
            Does.Contain("\"alertname\":\"BrokerAway\"").And.Contain("docs/operating.md#rabbitmq-is-away"),
            "alerts of Alertmanager",
            TimeSpan.FromMinutes(4)
        );
    }

    private async Task<string> ValueAsync(string expression) =>
        (await _prometheus.QueryAsync(expression)) is [var only] ? only.Value : "none";

    private static async Task<string> SettingAsync(string name) =>
        (await File.ReadAllLinesAsync(Path.Combine(Repository.Root, ".env")))
            .First(line => line.StartsWith($"{name}=", StringComparison.Ordinal))[(name.Length + 1)..]
            .Trim('\'', '"');

    private Task DevAsync(params string[] arguments) => RunAsync("bash", ["dev", .. arguments]);

    private async Task RunAsync(string program, params string[] arguments)
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
        var answer = await Clone.EndAsync(process);
        Assert.That(answer.Code, Is.Zero, $"{string.Join(' ', arguments)}: {answer.Text}");
    }
}
