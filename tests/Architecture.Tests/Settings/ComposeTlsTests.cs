using System.Text.Json;
using System.Text.RegularExpressions;
using Orders.Workers;

namespace Orders.Architecture.Tests.Settings;

/// <summary>
/// What docker-compose.tls.yml says: nothing is sent in plain text between two containers, nor to this machine. That an
/// order completes is for EncryptedInstallationTests.
/// </summary>
public sealed partial class ComposeTlsTests
{
    private static readonly string[] Processes =
    [
        .. Steps.Catalogue.Steps.Select(s => s.Name),
        "api",
        "dashboard",
        "migrate",
    ];

    [Test]
    public async Task Every_process_requires_TLS_of_broker_and_database_and_trusts_the_files_authority_only()
    {
        var services = (await ConfigAsync()).GetProperty("services");
        Assert.Multiple(() =>
        {
            foreach (var process in Processes)
            {
                var environment = EnvironmentOf(services, process);
                foreach (var server in (string[])["RabbitMq", "Database"])
                {
                    Assert.That(environment[$"{server}__Tls"], Is.EqualTo("true"), process);
                    Assert.That(environment[$"{server}__CaFile"], Is.EqualTo("/run/trust/ca.pem"), process);
                }

                Assert.That(Mounts(services, process), Has.Some.Contains("/run/trust"), process);
            }

            foreach (var process in (string[])["email", "dashboard"])
                Assert.That(EnvironmentOf(services, process)["Email__Smtp__Security"], Is.EqualTo("StartTls"), process);
        });
    }

    // The demo's authority has no revocation list; that of another mail server has one.
    [TestCase("", "StartTls", "false")]
    [TestCase("SMTP_HOST=mail.example\nSMTP_PORT=587\n", "StartTls", "")]
    [TestCase("SMTP_HOST=mail.example\nSMTP_PORT=465\n", "SslOnConnect", "")]
    [TestCase("SMTP_HOST=mail.example\nSMTP_SECURITY=Auto\nSMTP_CHECK_REVOCATION=false\n", "Auto", "false")]
    public async Task What_the_demos_mail_server_needs_is_for_it_alone(string env, string security, string revocation)
    {
        var services = (await ConfigAsync(env: env)).GetProperty("services");
        foreach (var process in (string[])["email", "dashboard"])
        {
            var environment = EnvironmentOf(services, process);
            Assert.That(environment["Email__Smtp__Security"], Is.EqualTo(security), process);
            Assert.That(environment["Email__Smtp__CheckRevocation"], Is.EqualTo(revocation), process);
        }
    }

    // The limits of connections count a request for each.
    [Test]
    public async Task Https_is_HTTP_1()
    {
        var services = (await ConfigAsync()).GetProperty("services");
        foreach (var process in (string[])["api", "dashboard"])
            Assert.That(
                EnvironmentOf(services, process)["Kestrel__Endpoints__Https__Protocols"],
                Is.EqualTo("Http1"),
                process
            );
    }

    // Loopback of a container: its health check.
    [Test]
    public async Task No_address_is_in_plain_text()
    {
        var services = (await ConfigAsync()).GetProperty("services");
        Assert.Multiple(() =>
        {
            foreach (var service in services.EnumerateObject())
            {
                var plain = EnvironmentOf(services, service.Name)
                    .Where(v => v.Value.Contains("http://", StringComparison.Ordinal))
                    .Where(v => !v.Value.StartsWith("http://127.0.0.1:", StringComparison.Ordinal));
                Assert.That(plain, Is.Empty, service.Name);
            }
        });
    }

    [Test]
    public async Task Only_ports_with_TLS_are_published_and_each_once()
    {
        var services = (await ConfigAsync()).GetProperty("services");
        var ports = services
            .EnumerateObject()
            .SelectMany(s =>
                s.Value.TryGetProperty("ports", out var list)
                    ? list.EnumerateArray().Select(p => $"{s.Name} {p.GetProperty("target").GetInt32()}")
                    : []
            );
        Assert.That(
            ports,
            Is.EquivalentTo((string[])["api 8443", "dashboard 8443", "outside-world 8443", "rabbitmq 15671"])
        );
    }

    [Test]
    public async Task PostgreSQL_takes_TLS_only_and_is_sized_as_without_it()
    {
        var command = Strings((await ConfigAsync()).GetProperty("services").GetProperty("postgres"), "command");
        var plain = Strings(
            (await ConfigAsync("docker-compose.yml")).GetProperty("services").GetProperty("postgres"),
            "command"
        );
        Assert.That(command.Take(plain.Length), Is.EqualTo(plain));
        Assert.That(
            command.Skip(plain.Length),
            Does.Contain("-cssl=on").And.Contain("-chba_file=/tmp/tls/pg_hba.conf")
        );
        Assert.That(
            Lines("deploy/tls/start/pg_hba.conf").Select(l => l.Split(' ')[0]).Distinct(),
            Is.EquivalentTo((string[])["local", "hostssl"])
        );
    }

    [Test]
    public void RabbitMQ_listens_with_TLS_only()
    {
        var lines = Lines("deploy/tls/50-tls.conf").ToArray();
        Assert.That(lines, Does.Contain("listeners.tcp = none").And.Contain("listeners.ssl.default = 5671"));
        // Metrics listen in plain text too unless this is said; management does as soon as it has a setting for it.
        Assert.That(
            lines.Where(l => Tcp().IsMatch(l)),
            Is.EquivalentTo((string[])["listeners.tcp = none", "prometheus.tcp.listener = none"])
        );
    }

    // With its own key only: whoever takes over a container cannot play another server.
    [Test]
    public async Task Every_server_has_its_own_key_and_nobody_has_the_authoritys()
    {
        var services = (await ConfigAsync()).GetProperty("services");
        Assert.Multiple(() =>
        {
            foreach (var service in services.EnumerateObject())
            {
                var folders = Mounts(services, service.Name)
                    .Select(m => m.Split(' ')[0])
                    .Where(source => source.Contains("/tls/files", StringComparison.Ordinal))
                    .Select(Path.GetFileName);
                Assert.That(folders, Is.SubsetOf((string[])["trust", service.Name]), service.Name);
            }
        });
    }

    private static IEnumerable<string> Lines(string file) =>
        Repository.Read(file).Split('\n').Where(l => l.Length > 0 && l[0] != '#');

    private static Dictionary<string, string> EnvironmentOf(JsonElement services, string service) =>
        services.GetProperty(service).TryGetProperty("environment", out var environment)
            ? environment.EnumerateObject().ToDictionary(v => v.Name, v => v.Value.GetString() ?? "")
            : [];

    private static string[] Mounts(JsonElement services, string service) =>
        services.GetProperty(service).TryGetProperty("volumes", out var volumes)
            ?
            [
                .. volumes
                    .EnumerateArray()
                    .Where(v => v.GetProperty("type").GetString() == "bind")
                    .Select(v => $"{v.GetProperty("source").GetString()} {v.GetProperty("target").GetString()}"),
            ]
            : [];

    private static string[] Strings(JsonElement service, string name) =>
        [.. service.GetProperty(name).EnumerateArray().Select(v => v.GetString()!)];

    private static async Task<JsonElement> ConfigAsync(
        string files = "docker-compose.yml:docker-compose.tls.yml",
        string env = ""
    )
    {
        using var model = await ComposeConfig.ModelAsync(
            env + string.Concat(ComposeConfig.Required.Select(name => $"{name}=x\n")),
            files
        );
        return model.RootElement.Clone();
    }

    [GeneratedRegex(@"\btcp\b")]
    private static partial Regex Tcp();
}
