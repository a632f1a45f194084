using Orders.OutsideWorld;
using Orders.Smtp;
using Orders.Testing.Tls;

namespace Orders.Workers.Tests.Email;

/// <summary>
/// A mail server whose certificate is somebody else's is given neither login nor mail, and the fault says what was
/// found. The breaker opens at once, see RefusingMailServerTests: the mails wait.
/// </summary>
public sealed class MailServerCertificateTests
{
    private TestAuthority _authority = null!;
    private RunningWorld _world = null!;
    private string _certificate = null!;
    private string _key = null!;

    [SetUp]
    public async Task StartAsync()
    {
        _authority = new TestAuthority();
        Use(_authority.Certify(Wrong.Nothing));
        _world = await OutsideWorldHost.StartAsync(o => (o.SmtpCertificate, o.SmtpKey) = (_certificate, _key));
    }

    [TearDown]
    public async Task StopAsync()
    {
        await _world.DisposeAsync();
        _authority.Dispose();
    }

    [TestCase(Wrong.Authority)]
    [TestCase(Wrong.Name)]
    [TestCase(Wrong.Expired)]
    public async Task A_certificate_of_somebody_else_is_refused_and_a_renewed_one_needs_no_restart(Wrong wrong)
    {
        using var connector = Connector();
        Use(_authority.Certify(wrong));
        var fault = Assert.CatchAsync<SmtpCertificateException>(() => OpenAsync(connector));
        Assert.That(fault!.Message, TlsWords.On(wrong, "Email__Smtp__Host", "Email__Smtp__CaFile"));

        Use(_authority.Certify(Wrong.Nothing));
        await OpenAsync(connector);
    }

    // The greeting comes in plain text where TLS was expected from the first byte.
    [Test]
    public void A_server_that_speaks_plain_text_is_refused()
    {
        using var connector = Connector(("Security", "SslOnConnect"));
        var fault = Assert.CatchAsync<SmtpCertificateException>(() => OpenAsync(connector));
        Assert.That(fault!.Message, TlsWords.OnPlainText("Email__Smtp__Port"));
    }

    [Test]
    public async Task A_server_without_STARTTLS_is_refused()
    {
        await using var plain = await OutsideWorldHost.StartAsync();
        using var connector = Connector(("Port", $"{plain.SmtpPort}"));
        Assert.That(
            () => OpenAsync(connector),
            Throws.TypeOf<NotSupportedException>().With.Message.Contains("STARTTLS")
        );
    }

    [Test]
    public async Task A_right_certificate_is_taken_with_TLS_1_3()
    {
        using var connector = Connector();
        using var client = await connector.OpenAsync(wrap: null, CancellationToken.None);
        Assert.That(client.SslProtocol, Is.EqualTo(System.Security.Authentication.SslProtocols.Tls13));
    }

    [Test]
    public async Task A_new_authority_in_the_file_needs_no_restart_and_two_are_valid_at_once()
    {
        using var next = new TestAuthority("Next year's authority");
        var file = _authority.Write("both.pem", _authority.Pem);
        using var connector = Connector(("CaFile", file));
        await OpenAsync(connector);

        Use(next.Certify(Wrong.Nothing));
        Assert.That(() => OpenAsync(connector), Throws.TypeOf<SmtpCertificateException>());
        _authority.Write("both.pem", _authority.Pem + "\n" + next.Pem);
        await OpenAsync(connector);
        Use(_authority.Certify(Wrong.Nothing));
        await OpenAsync(connector);
    }

    private static async Task OpenAsync(SmtpConnector connector)
    {
        using var client = await connector.OpenAsync(wrap: null, CancellationToken.None);
        Assert.That(client.IsSecure);
    }

    private void Use(TestCertificate certificate)
    {
        _certificate = _authority.Write("smtp.pem", certificate.Pem);
        _key = _authority.Write("smtp.key", certificate.Key);
    }

    private SmtpConnector Connector(params (string Name, string Value)[] settings)
    {
        var all = new Dictionary<string, string?>
        {
            ["Email:Smtp:Host"] = "localhost",
            ["Email:Smtp:Port"] = $"{_world.SmtpPort}",
            ["Email:Smtp:Security"] = "StartTls",
            ["Email:Smtp:CaFile"] = _authority.CaFile,
            ["Email:Smtp:CheckRevocation"] = "false",
        };
        foreach (var (name, value) in settings)
            all[$"Email:Smtp:{name}"] = value;
        return new SmtpConnector(
            SmtpOptions.Read(Tests.Settings.Of([.. all.Select(s => (s.Key, s.Value))])).WithEhloName("orders.example")
        );
    }
}
