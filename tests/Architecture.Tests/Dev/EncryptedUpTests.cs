using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Orders.Architecture.Tests.Dev;

/// <summary><c>./dev up --tls</c> up to the engine: certificates, and what is remembered. The engine's part is for
/// EncryptedInstallationTests.</summary>
[Platform("Linux")]
internal sealed class EncryptedUpTests
{
    private const string Line = "COMPOSE_FILE=docker-compose.yml:docker-compose.tls.yml";

    private Clone _clone = null!;

    [SetUp]
    public void Copy() => _clone = new Clone();

    [TearDown]
    public void Remove() => _clone.Dispose();

    [Test]
    public async Task It_makes_certificates_and_the_next_up_without_it_is_encrypted_too()
    {
        var first = await _clone.RunAsync("up", "--tls");
        Assert.That(first.Code, Is.Zero, first.Text);
        Assert.That(first.Output, Does.Match(@"(?m)^Certificates .*\(5 made\)$").And.Contain("https://127.0.0.1:"));
        Assert.That(_clone.Env, Does.Contain(Line));
        foreach (var server in (string[])["rabbitmq", "postgres", "outside-world", "api", "dashboard"])
            Verify(server);

        var before = _clone.Env;
        var next = await _clone.RunAsync("up");
        Assert.That(next.Code, Is.Zero, next.Text);
        Assert.That(next.Output, Does.Match(@"(?m)^Certificates .*\(0 made\)$").And.Contain("https://127.0.0.1:"));
        Assert.That(_clone.Env, Is.EqualTo(before));
    }

    [Test]
    public async Task Without_it_nothing_is_made_and_addresses_are_plain()
    {
        var answer = await _clone.RunAsync("up");
        Assert.That(answer.Code, Is.Zero, answer.Text);
        Assert.That(answer.Output, Does.Not.Contain("Certificates").And.Not.Contain("https://"));
        Assert.That(_clone.Env, Does.Not.Contain("COMPOSE_FILE"));
    }

    // An operator's own one, and one whose authority has another name.
    [Test]
    public async Task A_certificate_that_is_there_is_kept_and_one_that_is_missing_is_made()
    {
        await SucceedsAsync("certificates");
        var kept = File.ReadAllText(Of("rabbitmq"));
        var other = File.ReadAllText(Of("api"));
        File.Delete(Of("api"));

        await SucceedsAsync("certificates");
        Assert.That(File.ReadAllText(Of("rabbitmq")), Is.EqualTo(kept));
        Assert.That(File.ReadAllText(Of("api")), Is.Not.EqualTo(other));
        Verify("api");
    }

    [Test]
    public async Task An_operators_own_certificate_is_never_replaced_and_named_when_it_expires()
    {
        await SucceedsAsync("certificates");
        var ours = await File.ReadAllTextAsync(Of("rabbitmq"));
        WriteOwn("api", days: 20);
        WriteOwn("dashboard", days: 90);
        var (api, dashboard) = (await File.ReadAllTextAsync(Of("api")), await File.ReadAllTextAsync(Of("dashboard")));
        // A new authority: ours do not fit it.
        File.Delete(Path.Combine(_clone.Folder, "deploy/tls/files/trust/ca.pem"));

        var answer = await _clone.RunAsync("certificates");
        Assert.That(answer.Code, Is.Zero, answer.Text);
        Assert.That(
            answer.Output,
            Does.Contain("Your own certificate deploy/tls/files/api/server.pem expires within 30 days: renew it.")
                .And.Not.Contain("dashboard/server.pem")
        );
        Assert.That(await File.ReadAllTextAsync(Of("api")), Is.EqualTo(api));
        Assert.That(await File.ReadAllTextAsync(Of("dashboard")), Is.EqualTo(dashboard));
        Assert.That(await File.ReadAllTextAsync(Of("rabbitmq")), Is.Not.EqualTo(ours));
        Verify("rabbitmq");
    }

    [Test]
    public async Task A_certificate_that_does_not_fit_its_key_or_the_address_is_made_anew()
    {
        await SucceedsAsync("certificates");
        File.Copy(Of("rabbitmq").Replace(".pem", ".key"), Of("api").Replace(".pem", ".key"), overwrite: true);
        var half = await _clone.RunAsync("certificates");
        Assert.That(half.Output, Does.Match(@"(?m)^Certificates .*\(1 made\)$"), half.Text);
        Verify("api");

        _clone.Setting("BIND_ADDRESS", "192.0.2.7");
        var moved = await _clone.RunAsync("certificates");
        Assert.That(moved.Output, Does.Match(@"(?m)^Certificates .*\(5 made\)$"), moved.Text);
        var again = await _clone.RunAsync("certificates");
        Assert.That(again.Output, Does.Match(@"(?m)^Certificates .*\(0 made\)$"), again.Text);
    }

    [Test]
    public async Task A_missing_certificate_of_a_foreign_authority_is_named_and_not_made()
    {
        await SucceedsAsync("certificates");
        File.Delete(Path.Combine(_clone.Folder, "deploy/tls/files/authority/ca.key"));
        File.Delete(Of("api"));
        var answer = await _clone.RunAsync("certificates");
        Assert.That(answer.Code, Is.Not.Zero);
        Assert.That(answer.Errors, Does.Contain("api/server.pem is missing").And.Contain("server.key"));
    }

    [Test]
    public async Task With_parts_that_have_no_certificates_it_refuses_and_says_which()
    {
        foreach (var part in (string[])["pgbouncer", "cluster"])
        {
            _clone.Env = $"COMPOSE_FILE=docker-compose.yml:deploy/{part}/compose.yml\n";
            var answer = await _clone.RunAsync("up", "--tls");
            Assert.That(answer.Code, Is.Not.Zero);
            Assert.That(
                answer.Errors,
                Does.Contain("Expected no PgBouncer and no cluster with --tls").And.Contain(part)
            );
            Assert.That(answer.Errors.Split('\n').Length, Is.LessThan(6));
        }
    }

    // Who reads the folder of another user could play every server.
    [Test]
    public async Task Nobody_else_on_this_machine_reads_the_keys()
    {
        await SucceedsAsync("certificates");
        if (OperatingSystem.IsWindows())
            return;
        var mode = File.GetUnixFileMode(Path.Combine(_clone.Folder, "deploy/tls/files"));
        Assert.That(mode, Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute));
    }

    private async Task SucceedsAsync(string command)
    {
        var answer = await _clone.RunAsync(command);
        Assert.That(answer.Code, Is.Zero, answer.Text);
    }

    private void WriteOwn(string server, int days)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Orders of Example Ltd", key, HashAlgorithmName.SHA256);
        using var own = request.CreateSelfSigned(
            DateTimeOffset.UtcNow.AddDays(-1),
            DateTimeOffset.UtcNow.AddDays(days)
        );
        File.WriteAllText(Of(server), own.ExportCertificatePem());
        File.WriteAllText(Of(server).Replace(".pem", ".key", StringComparison.Ordinal), key.ExportPkcs8PrivateKeyPem());
    }

    private string Of(string server) => Path.Combine(_clone.Folder, $"deploy/tls/files/{server}/server.pem");

    private void Verify(string server)
    {
        using var authority = X509CertificateLoader.LoadCertificateFromFile(
            Path.Combine(_clone.Folder, "deploy/tls/files/trust/ca.pem")
        );
        using var certificate = X509Certificate2.CreateFromPemFile(
            Of(server),
            Of(server).Replace(".pem", ".key", StringComparison.Ordinal)
        );
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(authority);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        Assert.That(chain.Build(certificate), server);
        foreach (var name in (string[])[server, "localhost", "127.0.0.1"])
            Assert.That(certificate.MatchesHostname(name, allowCommonName: false), $"{server} as {name}");
    }
}
