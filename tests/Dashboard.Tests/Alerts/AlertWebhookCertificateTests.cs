using System.Security.Authentication;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Orders.Dashboard.Alerts;
using Orders.Testing.Tls;
using QueueWorkers.Monitoring.Alerts;

namespace Orders.Dashboard.Tests.Alerts;

/// <summary>An alert and its token are not sent to a server that shows the certificate of somebody else.</summary>
public sealed class AlertWebhookCertificateTests
{
    private TestAuthority _authority = null!;

    [SetUp]
    public void Found() => _authority = new TestAuthority();

    [TearDown]
    public void Close() => _authority.Dispose();

    [TestCase(Wrong.Authority)]
    [TestCase(Wrong.Name)]
    [TestCase(Wrong.Expired)]
    public async Task A_webhook_with_the_certificate_of_somebody_else_gets_no_alert(Wrong wrong)
    {
        await using var server = new TlsServer(_authority.Certify(wrong));
        var fault = Assert.CatchAsync<HttpRequestException>(() => TellAsync(server.Url));
        Assert.That(fault!.Message, TlsWords.On(wrong, "Alerts__WebhookUrl", "Alerts__WebhookCaFile"));
        Assert.That(server.Requests, Is.Empty);
    }

    [Test]
    public async Task A_webhook_that_speaks_plain_text_gets_no_alert()
    {
        await using var server = new TlsServer(certificate: null);
        var fault = Assert.CatchAsync<HttpRequestException>(() => TellAsync(server.Url));
        Assert.That(fault!.Message, TlsWords.OnPlainText("Alerts__WebhookUrl"));
    }

    [Test]
    public async Task A_webhook_with_a_right_certificate_gets_it_by_TLS_1_3()
    {
        await using var server = new TlsServer(_authority.Certify(Wrong.Nothing));
        await TellAsync(server.Url);
        Assert.That(server.Requests, Is.EqualTo([SslProtocols.Tls13]));
    }

    private async Task TellAsync(Uri url)
    {
        await using var services = new ServiceCollection()
            .AddAlerts(
                new ConfigurationBuilder()
                    .AddInMemoryCollection([
                        KeyValuePair.Create("Alerts:WebhookUrl", (string?)url.ToString()),
                        KeyValuePair.Create("Alerts:WebhookToken", (string?)"secret"),
                        KeyValuePair.Create("Alerts:WebhookCaFile", (string?)_authority.CaFile),
                    ])
                    .Build()
            )
            .BuildServiceProvider();
        await services
            .GetRequiredService<IAlertReceiver>()
            .TellAsync(new Alert { Rule = "no-workers", Says = "Nobody works." }, CancellationToken.None);
    }
}
