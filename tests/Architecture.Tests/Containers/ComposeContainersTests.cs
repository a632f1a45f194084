using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Orders.Architecture.Tests.Settings;

namespace Orders.Architecture.Tests.Containers;

/// <summary>
/// What docker-compose.yml, alone and with each file that is added to it, allows containers: hardly anything.
/// <see cref="RunningContainersTests"/> reads the same from a running system.
/// </summary>
[Parallelizable(ParallelScope.All)]
public sealed class ComposeContainersTests
{
    private const string Base = "docker-compose.yml";
    private const string Cluster = $"{Base}:deploy/cluster/compose.yml";
    private const string Pooler = $"{Base}:deploy/pgbouncer/compose.yml";
    private const string Observability = $"{Base}:deploy/observability/compose.yml";
    private const string Replica = $"{Base}:deploy/replica/compose.yml";
    private const string Chaos = $"{Base}:deploy/chaos/compose.yml";

    [TestCase(Base), TestCase(Cluster), TestCase(Pooler), TestCase(Replica), TestCase(Observability), TestCase(Chaos)]
    public async Task Every_container_is_confined(string files)
    {
        using var model = await ComposeConfig.ModelAsync(Env(), files);
        Assert.Multiple(() =>
        {
            foreach (var (name, service) in Services(model))
            {
                var isServer = ExpectedContainers.Servers.Any(s => name.StartsWith(s, StringComparison.Ordinal));
                Assert.That(Texts(service, "cap_drop"), Is.EqualTo(["ALL"]), $"{name}: cap_drop");
                Assert.That(
                    Texts(service, "cap_add"),
                    isServer ? Is.EquivalentTo(ExpectedContainers.ServerCapabilities) : Is.Empty,
                    $"{name}: cap_add"
                );
                Assert.That(
                    Texts(service, "security_opt"),
                    Is.EqualTo(["no-new-privileges:true"]),
                    $"{name}: security_opt"
                );
                Assert.That(IsTrue(service, "read_only"), Is.EqualTo(!isServer), $"{name}: read_only");
                Assert.That(Number(service, "mem_limit"), Is.InRange(1, 4L << 30), $"{name}: mem_limit");
                Assert.That(Number(service, "pids_limit"), Is.InRange(1, 1024), $"{name}: pids_limit");
                Assert.That(
                    Texts(service, "tmpfs"),
                    Is.Not.Empty.And.All.Match("^/[a-z/]+:size=[0-9]+m,mode=1777$"),
                    $"{name}: tmpfs"
                );
                Assert.That(IsTrue(service, "privileged"), Is.False, $"{name}: privileged");
                string[] never = ["network_mode", "pid", "ipc", "userns_mode", "devices", "device_cgroup_rules", "uts"];
                foreach (var member in never)
                    Assert.That(service.TryGetProperty(member, out _), Is.False, $"{name}: {member}");
                Assert.That(service.GetRawText(), Does.Not.Contain("docker.sock"), name);
            }
        });
    }

    // A process that cannot do its work ends itself: somebody has to start the next one.
    [TestCase(Base), TestCase(Cluster), TestCase(Pooler)]
    public async Task Whatever_ends_is_started_again(string files)
    {
        using var model = await ComposeConfig.ModelAsync(Env(), files);
        Assert.Multiple(() =>
        {
            foreach (var (name, service) in Services(model).Where(s => s.Key != "migrate"))
                Assert.That(
                    service.TryGetProperty("restart", out var restart) ? restart.GetString() : "no",
                    Is.EqualTo("unless-stopped"),
                    $"{name}: restart"
                );
        });
    }

    [Test]
    public async Task Each_service_is_on_the_networks_that_it_needs_and_on_no_other()
    {
        using var model = await ComposeConfig.ModelAsync(Env());
        Assert.That(
            Networks(model).Select(s => $"{s.Key}: {string.Join(", ", s.Value)}"),
            Is.EquivalentTo(ExpectedContainers.Networks.Select(s => $"{s.Key}: {string.Join(", ", s.Value)}"))
        );
        Assert.That(IsTrue(model.RootElement.GetProperty("networks").GetProperty("data"), "internal"), Is.True);
    }

    // Whatever is added: nothing that belongs to others shares a network with database or broker.
    [TestCase(Base), TestCase(Cluster), TestCase(Pooler), TestCase(Observability), TestCase(Chaos)]
    public async Task The_outside_world_shares_no_network_with_database_and_broker(string files)
    {
        using var model = await ComposeConfig.ModelAsync(Env(), files);
        var networks = Networks(model);
        string[] data =
        [
            .. networks.Keys.Where(s =>
                s.StartsWith("rabbitmq", StringComparison.Ordinal) || s is "postgres" or "pgbouncer"
            ),
        ];
        Assert.That(data, Has.Length.AtLeast(2));
        foreach (var server in data)
            Assert.That(networks["outside-world"].Intersect(networks[server]), Is.Empty, server);
        Assert.That(networks.Values, Has.None.Contains("default"), "a service without networks of its own");
    }

    [TestCase(Base), TestCase(Cluster), TestCase(Pooler)]
    public async Task Four_ports_are_published_on_loopback_and_no_other(string files)
    {
        using var model = await ComposeConfig.ModelAsync(Env(), files);
        var published =
            from service in Services(model)
            where service.Value.TryGetProperty("ports", out _)
            from port in service.Value.GetProperty("ports").EnumerateArray()
            select (
                service.Key,
                port.GetProperty("target").GetInt32(),
                port.GetProperty("host_ip").GetString(),
                int.Parse(port.GetProperty("published").GetString()!, CultureInfo.InvariantCulture)
            );
        Assert.That(
            published,
            Is.EquivalentTo(ExpectedContainers.Ports.Select(p => (p.Service, p.Target, "127.0.0.1", p.Default)))
        );
    }

    [Test]
    public void The_page_on_security_lists_these_ports()
    {
        var rows = Regex.Matches(
            Repository.Read("docs/security.md"),
            @"(?m)^\| `([a-z-]+)` \| `(\d+)` \| `127\.0\.0\.1` [^|]*\| `(\d+)` [^|]*\| `docker-compose\.yml` \|$"
        );
        Assert.That(
            rows.Select(row => string.Join(' ', row.Groups.Values.Skip(1).Select(group => group.Value))),
            Is.EquivalentTo(ExpectedContainers.Ports.Select(p => $"{p.Service} {p.Target} {p.Default}"))
        );
    }

    [TestCase("", false)]
    [TestCase("COMPOSE_PROFILES=\n", false)]
    [TestCase("COMPOSE_PROFILES=demo\n", true)]
    public async Task The_outside_world_is_there_with_the_profile_demo_only(string line, bool isThere)
    {
        using var model = await ComposeConfig.ModelAsync(Env() + line, profiles: null);
        Assert.That(Services(model).Select(s => s.Key).Contains("outside-world"), Is.EqualTo(isThere));
    }

    [Test]
    public async Task Workers_listen_on_loopback_only()
    {
        using var model = await ComposeConfig.ModelAsync(Env());
        var workers = Services(model)
            .Where(s => s.Value.GetProperty("image").GetString()!.EndsWith("-workers", StringComparison.Ordinal))
            .Where(s => s.Key != "migrate")
            .ToArray();
        Assert.That(workers, Has.Length.EqualTo(5));
        foreach (var (name, service) in workers)
            Assert.That(Texts(service, "command"), Does.Contain("--urls=http://127.0.0.1:8080"), name);
    }

    private static string Env() =>
        string.Concat(
            ComposeConfig
                .Required.Concat(["RABBITMQ_COOKIE", "POOLER_DB_PASSWORD"])
                .Concat(["TELEMETRY_KEY", "TELEMETRY_PASSWORD", "GRAFANA_PASSWORD"])
                .Append("CHAOS_CLOCKS")
                .Select(name => $"{name}=/x\n")
        ) + "CHAOS_DATABASE_PORT=1\nCHAOS_AMQP_PORT=2\n";

    private static IEnumerable<KeyValuePair<string, JsonElement>> Services(JsonDocument model) =>
        model
            .RootElement.GetProperty("services")
            .EnumerateObject()
            .Select(service => KeyValuePair.Create(service.Name, service.Value));

    private static Dictionary<string, string[]> Networks(JsonDocument model) =>
        Services(model)
            .ToDictionary(
                s => s.Key,
                s =>
                    s.Value.GetProperty("networks")
                        .EnumerateObject()
                        .Select(network => network.Name)
                        .Order(StringComparer.Ordinal)
                        .ToArray()
            );

    private static string[] Texts(JsonElement service, string member) =>
        service.TryGetProperty(member, out var list) && list.ValueKind == JsonValueKind.Array
            ? [.. list.EnumerateArray().Select(item => item.ToString())]
            : [];

    private static bool IsTrue(JsonElement service, string member) =>
        service.TryGetProperty(member, out var value) && value.ValueKind == JsonValueKind.True;

    // Compose prints memory as text and processes as a number.
    private static long Number(JsonElement service, string member) =>
        service.TryGetProperty(member, out var value) ? long.Parse(value.ToString(), CultureInfo.InvariantCulture) : 0;
}
