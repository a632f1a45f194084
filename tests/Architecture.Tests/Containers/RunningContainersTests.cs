using System.Globalization;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Text.Json;

namespace Orders.Architecture.Tests.Containers;

/// <summary>
/// The running system: what the engine says of each container, what its processes may do, which ports answer on this
/// machine, and who reaches whom. The gate looks at its own installation (<c>ORDERS_RUNNING_PROJECT</c>).
/// </summary>
[Category("Long")]
[Platform("Linux")]
[NonParallelizable]
public sealed class RunningContainersTests
{
    // Five seconds are long for a neighbour on one machine, and no answer at all is what is expected where it fails.
    private const string Connect =
        "timeout 5 bash -c 'exec 3<>\"/dev/tcp/$0/$1\"' \"$0\" \"$1\" 2>/dev/null && echo open || echo closed";

    private RunningInstallation _system = null!;

    private IEnumerable<RunningContainer> Running => _system.Containers.Where(c => c.Runs);

    [OneTimeSetUp]
    public async Task OpenAsync() => _system = await ContainersSetUp.InstallationAsync();

    [Test]
    public void Every_service_has_a_container() =>
        Assert.That(
            _system.Containers.Select(c => c.Service).Distinct(),
            Is.EquivalentTo(ExpectedContainers.Networks.Keys)
        );

    [Test]
    public void The_engine_confines_every_container() =>
        Assert.Multiple(() =>
        {
            foreach (var container in _system.Containers)
            {
                var (name, host) = (container.Name, container.Host);
                Assert.That(Texts(host, "CapDrop"), Is.EqualTo(["ALL"]), name);
                Assert.That(
                    Texts(host, "CapAdd").Select(c => c.Replace("CAP_", "", StringComparison.Ordinal)),
                    container.IsServer ? Is.EquivalentTo(ExpectedContainers.ServerCapabilities) : Is.Empty,
                    name
                );
                Assert.That(Texts(host, "SecurityOpt"), Is.EqualTo(["no-new-privileges:true"]), name);
                Assert.That(host.GetProperty("Privileged").GetBoolean(), Is.False, name);
                Assert.That(host.GetProperty("ReadonlyRootfs").GetBoolean(), Is.EqualTo(!container.IsServer), name);
                Assert.That(host.GetProperty("Memory").GetInt64(), Is.InRange(1, 4L << 30), $"{name}: memory");
                Assert.That(host.GetProperty("PidsLimit").GetInt64(), Is.InRange(1, 1024), $"{name}: processes");
                Assert.That(
                    host.GetProperty("Tmpfs").EnumerateObject().Select(mount => $"{mount.Name}:{mount.Value}"),
                    Is.Not.Empty.And.All.Contains("size="),
                    name
                );
                Assert.That(host.GetProperty("NetworkMode").GetString(), Is.Not.EqualTo("host"), name);
                Assert.That(host.GetProperty("PidMode").GetString(), Is.Empty, name);
                Assert.That(Texts(host, "Binds"), Has.None.Contains("docker.sock"), name);
                if (!container.IsServer)
                    Assert.That(container.User, Is.Not.Empty.And.Not.EqualTo("root").And.Not.EqualTo("0"), name);
            }
        });

    [Test]
    public async Task No_process_is_root_or_has_a_capability()
    {
        // Name, user, effective capabilities, no new privileges; but for this command and what belongs to nobody else.
        const string Script =
            "for s in /proc/[0-9]*/status; do [ \"$s\" = /proc/$$/status ] || awk '/^Name:/ {n=$2} /^Uid:/ {u=$2} /^CapEff:/ {c=$2} /^NoNewPrivs:/ {p=$2} END {if (n) print n, u, c, p}' \"$s\" 2>/dev/null; done; true";
        foreach (var container in Running)
        {
            var processes = RunningInstallation
                .Lines(await container.BashAsync(Script))
                .Select(line => line.Split(' '))
                // docker-init reaps what ends, and does nothing else; the rest are of this command itself.
                .Where(p =>
                    p[0]
                        is not (
                            "docker-init"
                            or "tini"
                            or "pg_isready"
                            or "awk"
                            or "bash"
                            or "sh"
                            or "timeout"
                            or "sleep"
                        )
                )
                .ToArray();
            Assert.That(processes, Is.Not.Empty, container.Name);
            Assert.Multiple(() =>
            {
                foreach (var process in processes)
                {
                    var what = $"{container.Name}: {string.Join(' ', process)}";
                    Assert.That(process[1], Is.Not.EqualTo("0"), what);
                    Assert.That(process[2], Is.EqualTo("0000000000000000"), what);
                    Assert.That(process[3], Is.EqualTo("1"), what);
                }
            });
        }
    }

    [Test]
    public async Task Nothing_can_be_written_beside_the_temporary_folder()
    {
        const string Script =
            "for d in /app /etc /usr /var/lib /home/app /; do (: >$d/attack) 2>/dev/null && echo \"$d was written\"; done; df -Pk /tmp | awk 'NR == 2 {print $2}'";
        foreach (var container in Running.Where(c => !c.IsServer))
        {
            var lines = RunningInstallation.Lines(await container.BashAsync(Script));
            Assert.That(lines, Has.Length.EqualTo(1), $"{container.Name}: {string.Join(", ", lines)}");
            Assert.That(
                int.Parse(lines[0], CultureInfo.InvariantCulture),
                Is.InRange(1, 64 * 1024),
                $"{container.Name}: KiB of /tmp"
            );
        }
    }

    [Test]
    public async Task A_port_scan_of_this_machine_finds_the_published_ports_and_no_other()
    {
        var open = await ScanAsync(IPAddress.Loopback);
        var ours = _system
            .Containers.SelectMany(c => c.Published.Select(p => (c.Service, p.Target, p.Address, p.Port)))
            .ToArray();
        Assert.Multiple(() =>
        {
            Assert.That(
                ours.Select(p => (p.Service, p.Target)),
                Is.EquivalentTo(ExpectedContainers.Ports.Select(p => (p.Service, p.Target)))
            );
            Assert.That(ours.Select(p => p.Address), Is.All.EqualTo("127.0.0.1"));
            Assert.That(ours.Select(p => p.Port), Is.SubsetOf(open), "ports that answer");
        });

        // The other open ports belong to other programs: none of them leads into a container of this installation.
        var listeners = RunningInstallation.Lines(
            await RunningInstallation.DockerAsync(
                "ps",
                "--filter",
                $"label=com.docker.compose.project={_system.Project}",
                "--format",
                "{{.Ports}}"
            )
        );
        var mapped = listeners
            .SelectMany(line => line.Split(", "))
            .Where(port => port.Contains("->", StringComparison.Ordinal))
            .Select(port => port[..port.IndexOf("->", StringComparison.Ordinal)]);
        Assert.That(mapped, Is.EquivalentTo(ours.Select(p => $"{p.Address}:{p.Port}")));
    }

    [Test]
    public async Task No_published_port_answers_on_another_address_of_this_machine()
    {
        var addresses = NetworkInterface
            .GetAllNetworkInterfaces()
            .SelectMany(card => card.GetIPProperties().UnicastAddresses)
            .Select(unicast => unicast.Address)
            .Where(a => a.AddressFamily == AddressFamily.InterNetwork && !IPAddress.IsLoopback(a))
            .ToArray();
        Assert.That(addresses, Is.Not.Empty, "at least the bridges of the engine");
        foreach (var address in addresses)
        foreach (var port in _system.Containers.SelectMany(c => c.Published).Select(p => p.Port))
            Assert.That(await IsOpenAsync(address, port), Is.False, $"{address}:{port}");
    }

    [Test]
    public void Each_container_is_on_the_networks_that_it_needs() =>
        Assert.That(
            Running
                .Select(c => $"{c.Service}: {string.Join(", ", c.Networks.Keys.Order(StringComparer.Ordinal))}")
                .Distinct(),
            Is.EquivalentTo(
                ExpectedContainers
                    .Networks.Where(s => s.Key != "migrate")
                    .Select(s => $"{s.Key}: {string.Join(", ", s.Value)}")
            )
        );

    // Attack: the demo's mail server is taken over, and looks around.
    [Test]
    public async Task The_outside_world_reaches_neither_database_nor_broker_nor_a_worker()
    {
        var world = _system.Of("outside-world");
        var targets =
            from container in Running
            where container.Service is not ("outside-world" or "dashboard" or "api")
            from port in container.Service switch
            {
                "postgres" => [5432],
                "rabbitmq" => (int[])[5672, 15672, 15692, 25672, 4369],
                _ => [8080, 9464],
            }
            from address in container.Networks.Values.Append(container.Service)
            select (container.Name, address, port);
        // At once: each waits for a time-out, where the packets are dropped.
        var reached = await Task.WhenAll(
            targets
                .Distinct()
                .Select(async t =>
                    (What: $"{t.Name} at {t.address}:{t.port}", IsOpen: await ReachesAsync(world, t.address, t.port))
                )
        );
        Assert.That(reached, Has.Length.GreaterThan(20));
        Assert.That(reached.Where(r => r.IsOpen).Select(r => r.What), Is.Empty, "what the outside world reaches");
    }

    [Test]
    public async Task Nobody_reaches_a_worker()
    {
        var tries =
            from source in (string[])["api", "dashboard", "webhook", "inventory"]
            from worker in (string[])["email", "invoice", "warehouse"]
            from address in _system.Of(worker).Networks.Values
            select (source, worker, address);
        var reached = await Task.WhenAll(
            tries.Select(async t =>
                (
                    What: $"{t.source} to {t.worker} at {t.address}",
                    IsOpen: await ReachesAsync(_system.Of(t.source), t.address, 8080)
                )
            )
        );
        Assert.That(reached.Where(r => r.IsOpen).Select(r => r.What), Is.Empty, "workers that can be reached");
    }

    [Test]
    public async Task Each_host_reaches_database_and_broker()
    {
        foreach (var host in Running.Where(c => !c.IsServer && c.Service != "outside-world").DistinctBy(c => c.Service))
        {
            Assert.That(await ReachesAsync(host, "postgres", 5432), Is.True, $"{host.Service} to PostgreSQL");
            Assert.That(await ReachesAsync(host, "rabbitmq", 5672), Is.True, $"{host.Service} to RabbitMQ");
        }

        Assert.That(
            await ReachesAsync(_system.Of("email"), "outside-world", 1025),
            Is.True,
            "email to its mail server"
        );
        Assert.That(await ReachesAsync(_system.Of("warehouse"), "outside-world", 8025), Is.True, "warehouse");
    }

    // The engine's own word: whether this machine has a way out itself is not what is asked here.
    [TestCase("inventory", false), TestCase("invoice", false), TestCase("postgres", false)]
    [TestCase("email", true), TestCase("warehouse", true), TestCase("webhook", true), TestCase("dashboard", true)]
    public async Task Only_those_who_call_others_have_a_way_out(string service, bool hasOne)
    {
        var networks = _system.Of(service).Networks.Keys.Select(name => $"{_system.Project}_{name}");
        var isInternal = RunningInstallation.Lines(
            await RunningInstallation.DockerAsync(["network", "inspect", "--format", "{{.Internal}}", .. networks])
        );
        Assert.That(isInternal.Contains("false"), Is.EqualTo(hasOne));
    }

    private static async Task<bool> ReachesAsync(RunningContainer from, string address, int port) =>
        (await from.BashAsync(Connect, address, port.ToString(CultureInfo.InvariantCulture))).Trim() == "open";

    private static async Task<HashSet<int>> ScanAsync(IPAddress address)
    {
        var open = new HashSet<int>();
        await Parallel.ForEachAsync(
            Enumerable.Range(1, IPEndPoint.MaxPort),
            new ParallelOptions { MaxDegreeOfParallelism = 64 },
            async (port, _) =>
            {
                if (!await IsOpenAsync(address, port))
                    return;
                lock (open)
                    open.Add(port);
            }
        );
        return open;
    }

    private static async Task<bool> IsOpenAsync(IPAddress address, int port)
    {
        using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(5));
            await socket.ConnectAsync(address, port, patience.Token);
            // An unused port of this machine can be connected to itself.
            return !socket.LocalEndPoint!.Equals(socket.RemoteEndPoint);
        }
        catch (Exception closed) when (closed is SocketException or OperationCanceledException)
        {
            return false;
        }
    }

    private static string[] Texts(JsonElement host, string member) =>
        host.GetProperty(member) is { ValueKind: JsonValueKind.Array } list
            ? [.. list.EnumerateArray().Select(item => item.GetString()!)]
            : [];
}
