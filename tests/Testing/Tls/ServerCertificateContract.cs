using System.Security.Authentication;

namespace Orders.Testing.Tls;

/// <summary>
/// A caller sends nothing to a server that shows the certificate of somebody else: somebody in between, or an
/// operator's mistake. Its fault says what was found and which setting to change.
/// </summary>
/// <typeparam name="TFault">What the caller throws.</typeparam>
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public abstract class ServerCertificateContract<TFault>
    where TFault : Exception
{
    /// <summary>The authority that the caller trusts.</summary>
    protected TestAuthority Authority { get; } = new();

    /// <summary>What the fault calls the setting of the server.</summary>
    protected abstract string HostSetting { get; }

    /// <summary>What the fault calls the setting of the file of authorities.</summary>
    protected abstract string CaSetting { get; }

    /// <summary>What the fault says to change when the server speaks plain text.</summary>
    protected virtual string PlainTextRemedy => HostSetting;

    /// <summary>Calls the server, with <see cref="Authority"/> trusted.</summary>
    protected abstract Task CallAsync(Uri server);

    [TearDown]
    public void Close() => Authority.Dispose();

    [TestCase(Wrong.Authority)]
    [TestCase(Wrong.Name)]
    [TestCase(Wrong.Expired)]
    public async Task A_server_with_the_certificate_of_somebody_else_is_sent_nothing(Wrong wrong)
    {
        await using var server = new TlsServer(Authority.Certify(wrong));
        var fault = Assert.CatchAsync<TFault>(() => CallAsync(server.Url));
        Assert.That(fault!.Message, TlsWords.On(wrong, HostSetting, CaSetting));
        Assert.That(server.Requests, Is.Empty);
    }

    [Test]
    public async Task A_server_that_speaks_plain_text_is_sent_nothing()
    {
        await using var server = new TlsServer(certificate: null);
        var fault = Assert.CatchAsync<TFault>(() => CallAsync(server.Url));
        Assert.That(fault!.Message, TlsWords.OnPlainText(PlainTextRemedy));
    }

    [Test]
    public async Task A_server_with_a_right_certificate_is_called_by_TLS_1_3()
    {
        await using var server = new TlsServer(Authority.Certify(Wrong.Nothing));
        await CallAsync(server.Url);
        Assert.That(server.Requests, Is.EqualTo([SslProtocols.Tls13]));
    }
}
