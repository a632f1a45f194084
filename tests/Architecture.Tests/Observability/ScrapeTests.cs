using System.Text.Json;
using System.Text.RegularExpressions;
using Orders.Architecture.Tests.Settings;
using Orders.Workers;

namespace Orders.Architecture.Tests.Observability;

/// <summary>
/// deploy/observability/compose.yml: Prometheus finds every host and each of its replicas, and its pages are for this
/// machine alone.
/// </summary>
[Parallelizable(ParallelScope.All)]
public sealed partial class ScrapeTests
{
    private const string Files = "docker-compose.yml:deploy/observability/compose.yml";

    private static readonly string[] Hosts = [.. Steps.Catalogue.Steps.Select(step => step.Name), "api", "dashboard"];

    private static readonly string[] Own = ["alertmanager", "grafana", "prometheus", "traces"];

    // A step that is forgotten there is not measured, and nobody is told.
    [Test]
    public void Prometheus_looks_for_every_host_by_its_name_and_port_of_metrics()
    {
        var jobs = ObservabilityFiles.Yaml($"{ObservabilityFiles.Folder}/prometheus.yml")["scrape_configs"]!.AsArray();
        var found = jobs.Single(job => job!["job_name"]!.ToString() == "orders")!["dns_sd_configs"]![0]!;
        Assert.That(found["names"]!.AsArray().Select(name => name!.ToString()), Is.EquivalentTo(Hosts));
        // All addresses of a name: one for each replica.
        Assert.That(found["type"]!.ToString(), Is.EqualTo("A"));
        Assert.That(
            found["port"]!.ToString(),
            Is.EqualTo(MetricsPort().Match(Repository.Read("Dockerfile")).Groups[1].Value)
        );
    }

    [Test]
    public async Task Every_host_is_reached_and_sends_its_traces_with_the_key()
    {
        var services = await ServicesAsync();
        var key = $"x-otlp-api-key={Env("TELEMETRY_KEY")}";
        Assert.Multiple(() =>
        {
            foreach (var host in Hosts)
            {
                var service = services.GetProperty(host);
                var environment = service.GetProperty("environment");
                Assert.That(Networks(service), Does.Contain("telemetry"), host);
                Assert.That(
                    environment.GetProperty("OTEL_EXPORTER_OTLP_ENDPOINT").GetString(),
                    Is.EqualTo("http://traces:18889")
                );
                Assert.That(environment.GetProperty("OTEL_EXPORTER_OTLP_HEADERS").GetString(), Is.EqualTo(key), host);
            }

            foreach (var step in Steps.Catalogue.Steps.Select(step => step.Name))
                Assert.That(
                    services.GetProperty(step).GetProperty("command").ToString(),
                    Does.Contain("http://*:8080")
                );
        });
    }

    [Test]
    public async Task The_pages_are_published_on_loopback_whatever_BIND_ADDRESS_says()
    {
        var services = await ServicesAsync("BIND_ADDRESS=0.0.0.0\n");
        var published = Own.SelectMany(name =>
            services
                .GetProperty(name)
                .GetProperty("ports")
                .EnumerateArray()
                .Select(port => $"{name} {port.GetProperty("host_ip")}:{port.GetProperty("published")}")
        );
        Assert.That(
            published,
            Is.EquivalentTo(
                (string[])
                    [
                        "alertmanager 127.0.0.1:9093",
                        "grafana 127.0.0.1:3000",
                        "prometheus 127.0.0.1:9090",
                        "traces 127.0.0.1:18888",
                    ]
            )
        );
    }

    // Whoever takes over one of the four reads no order and no message.
    [Test]
    public async Task The_four_share_no_network_with_database_broker_or_outside_world_and_know_no_other_secret()
    {
        var services = await ServicesAsync();
        var others = ((string[])["postgres", "rabbitmq", "outside-world"]).SelectMany(name =>
            Networks(services.GetProperty(name))
        );
        string[] known = ["TELEMETRY_KEY", "TELEMETRY_PASSWORD", "GRAFANA_PASSWORD"];
        Assert.Multiple(() =>
        {
            foreach (var name in Own)
            {
                Assert.That(Networks(services.GetProperty(name)).Intersect(others), Is.Empty, name);
                foreach (var secret in ComposeConfig.Required)
                    Assert.That(services.GetProperty(name).GetRawText(), Does.Not.Contain(Env(secret)), name);
            }

            // And nobody but the four and the senders of traces knows theirs; the deployment is given all of .env.
            foreach (var service in services.EnumerateObject().Where(s => s.Name != "migrate" && !Own.Contains(s.Name)))
            foreach (var secret in known.Where(secret => secret != "TELEMETRY_KEY" || !Hosts.Contains(service.Name)))
                Assert.That(service.Value.GetRawText(), Does.Not.Contain(Env(secret)), service.Name);
        });
    }

    [Test]
    public async Task Images_are_those_that_dev_pulls_or_builds()
    {
        var named = ImageName()
            .Matches(Repository.Read("deploy/machine/images.sh"))
            .ToDictionary(m => m.Groups["name"].Value, m => m.Groups["image"].Value);
        var services = await ServicesAsync();
        foreach (var name in Own)
            Assert.That(services.GetProperty(name).GetProperty("image").GetString(), Is.EqualTo(named[name]), name);
    }

    // In its log stands the address of the login otherwise, with the password.
    [Test]
    public async Task The_viewer_of_traces_logs_no_password()
    {
        var environment = (await ServicesAsync()).GetProperty("traces").GetProperty("environment");
        Assert.That(environment.GetProperty("LOGGING__LOGLEVEL__DEFAULT").GetString(), Is.EqualTo("Warning"));
    }

    private static string Env(string name) => $"value-of-{name}-";

    private static async Task<JsonElement> ServicesAsync(string more = "")
    {
        var names = ComposeConfig.Required.Concat(["TELEMETRY_KEY", "TELEMETRY_PASSWORD", "GRAFANA_PASSWORD"]);
        using var model = await ComposeConfig.ModelAsync(
            more + string.Concat(names.Select(name => $"{name}={Env(name)}\n")),
            Files
        );
        return model.RootElement.GetProperty("services").Clone();
    }

    private static string[] Networks(JsonElement service) =>
        [.. service.GetProperty("networks").EnumerateObject().Select(network => network.Name)];

    [GeneratedRegex(@"Metrics__Port=(\d+)")]
    private static partial Regex MetricsPort();

    [GeneratedRegex(@"^(?<name>[a-z]+)_image=(?<image>\S+)$", RegexOptions.Multiline)]
    private static partial Regex ImageName();
}
