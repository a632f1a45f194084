using Microsoft.Extensions.DependencyInjection;
using Orders.Testing.Tls;
using Orders.Workers.Warehouse;

namespace Orders.Workers.Tests.Outgoing;

/// <summary>
/// Pick lists are not sent to a server that shows the certificate of somebody else. What was found is in the fault,
/// which is transient: the message waits.
/// </summary>
public sealed class WarehouseCertificateTests : ServerCertificateContract<WarehouseUnavailableException>
{
    /// <inheritdoc />
    protected override string HostSetting => "Warehouse__Url";

    /// <inheritdoc />
    protected override string CaSetting => "Warehouse__CaFile";

    // The private authority is the operator's for this one server; it must not make others trusted that have none.
    [Test]
    public async Task Without_the_file_a_private_authority_is_not_trusted()
    {
        await using var server = new TlsServer(Authority.Certify(Wrong.Nothing));
        var fault = Assert.CatchAsync<WarehouseUnavailableException>(() => PostAsync(server.Url, caFile: ""));
        Assert.That(fault!.Message, Does.Contain("Set Warehouse__CaFile to a PEM file with the server's authority."));
        Assert.That(server.Requests, Is.Empty);
    }

    /// <inheritdoc />
    protected override Task CallAsync(Uri server) => PostAsync(server, Authority.CaFile);

    private static async Task PostAsync(Uri url, string caFile)
    {
        await using var services = new ServiceCollection()
            .AddWarehouse(
                Settings.Of(
                    ("Warehouse:Url", url.ToString()),
                    ("Warehouse:Secret", Settings.WarehouseSecret),
                    ("Warehouse:CaFile", caFile)
                )
            )
            .BuildServiceProvider();
        await services
            .GetRequiredService<WarehouseClient>()
            .PostAsync(Guid.NewGuid(), PickList.Of(SampleDetails.Of()), CancellationToken.None);
    }
}
