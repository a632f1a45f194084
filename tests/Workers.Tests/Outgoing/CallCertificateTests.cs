using System.Security.Authentication;
using Microsoft.Extensions.DependencyInjection;
using Orders.Infrastructure.Webhooks;
using Orders.Testing.Tls;
using Orders.Workers.Warehouse;
using Orders.Workers.Webhooks;

namespace Orders.Workers.Tests.Outgoing;

/// <summary>
/// Pick lists and events are not sent to a server that shows the certificate of somebody else: somebody in between, or
/// an operator's mistake. What was found is in the fault, which is transient: the message waits.
/// </summary>
public sealed class CallCertificateTests
{
    private TestAuthority _authority = null!;

    [SetUp]
    public void Found() => _authority = new TestAuthority();

    [TearDown]
    public void Close() => _authority.Dispose();

    [TestCase(Wrong.Authority)]
    [TestCase(Wrong.Name)]
    [TestCase(Wrong.Expired)]
    public async Task A_warehouse_with_the_certificate_of_somebody_else_gets_no_pick_list(Wrong wrong)
    {
        await using var server = new TlsServer(_authority.Certify(wrong));
        var fault = Assert.CatchAsync<WarehouseUnavailableException>(() => PostAsync(server.Url));
        Assert.That(fault!.Message, TlsWords.On(wrong, "Warehouse__Url", "Warehouse__CaFile"));
        Assert.That(server.Requests, Is.Empty);
    }

    [Test]
    public async Task A_warehouse_that_speaks_plain_text_gets_no_pick_list()
    {
        await using var server = new TlsServer(certificate: null);
        var fault = Assert.CatchAsync<WarehouseUnavailableException>(() => PostAsync(server.Url));
        Assert.That(fault!.Message, TlsWords.OnPlainText("Warehouse__Url"));
    }

    [Test]
    public async Task A_warehouse_with_a_right_certificate_gets_it_by_TLS_1_3()
    {
        await using var server = new TlsServer(_authority.Certify(Wrong.Nothing));
        await PostAsync(server.Url);
        Assert.That(server.Requests, Is.EqualTo([SslProtocols.Tls13]));
    }

    // The private authority is the operator's for this one server; it must not make others trusted that have none.
    [Test]
    public async Task Without_the_file_a_private_authority_is_not_trusted()
    {
        await using var server = new TlsServer(_authority.Certify(Wrong.Nothing));
        var fault = Assert.CatchAsync<WarehouseUnavailableException>(() =>
            PostAsync(server.Url, ("Warehouse:CaFile", ""))
        );
        Assert.That(fault!.Message, Does.Contain("Set Warehouse__CaFile to a PEM file with the server's authority."));
        Assert.That(server.Requests, Is.Empty);
    }

    [TestCase(Wrong.Authority)]
    [TestCase(Wrong.Name)]
    [TestCase(Wrong.Expired)]
    public async Task A_web_hook_with_the_certificate_of_somebody_else_gets_no_event(Wrong wrong)
    {
        await using var server = new TlsServer(_authority.Certify(wrong));
        var fault = Assert.CatchAsync<WebhookFailedException>(() => DeliverAsync(server.Url));
        Assert.That(fault!.Message, TlsWords.On(wrong, "the web hook's address", "Webhooks__CaFile"));
        Assert.That(server.Requests, Is.Empty);
    }

    [Test]
    public async Task A_web_hook_that_speaks_plain_text_gets_no_event()
    {
        await using var server = new TlsServer(certificate: null);
        var fault = Assert.CatchAsync<WebhookFailedException>(() => DeliverAsync(server.Url));
        Assert.That(fault!.Message, TlsWords.OnPlainText("address that speaks TLS"));
    }

    [Test]
    public async Task A_web_hook_with_a_right_certificate_gets_it_by_TLS_1_3()
    {
        await using var server = new TlsServer(_authority.Certify(Wrong.Nothing));
        await DeliverAsync(server.Url);
        Assert.That(server.Requests, Is.EqualTo([SslProtocols.Tls13]));
    }

    private async Task PostAsync(Uri url, params (string Name, string? Value)[] settings)
    {
        var all = new Dictionary<string, string?>
        {
            ["Warehouse:Url"] = url.ToString(),
            ["Warehouse:Secret"] = Settings.WarehouseSecret,
            ["Warehouse:CaFile"] = _authority.CaFile,
        };
        foreach (var (name, value) in settings)
            all[name] = value;
        await using var services = new ServiceCollection()
            .AddWarehouse(Settings.Of([.. all.Select(s => (s.Key, s.Value))]))
            .BuildServiceProvider();
        await services
            .GetRequiredService<WarehouseClient>()
            .PostAsync(Guid.NewGuid(), PickList.Of(SampleDetails.Of()), CancellationToken.None);
    }

    private async Task DeliverAsync(Uri url)
    {
        await using var services = new ServiceCollection()
            .AddWebhooks(
                Settings.Of(("Webhooks:AllowedNetworks", "127.0.0.0/8,::1/128"), ("Webhooks:CaFile", _authority.CaFile))
            )
            .BuildServiceProvider();
        await services
            .GetRequiredService<WebhookClient>()
            .PostAsync(
                new WebhookCall
                {
                    DeliveryId = Guid.NewGuid(),
                    WebhookId = Guid.NewGuid(),
                    Event = "order.completed",
                    At = DateTimeOffset.UtcNow,
                    Url = url,
                    Secrets = [new byte[32]],
                },
                url,
                CancellationToken.None
            );
    }
}
