using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Orders.Dashboard.Alerts;
using Orders.Testing.Tls;
using QueueWorkers.Monitoring.Alerts;

namespace Orders.Dashboard.Tests.Alerts;

/// <summary>An alert and its token are not sent to a server that shows the certificate of somebody else.</summary>
public sealed class AlertWebhookCertificateTests : ServerCertificateContract<HttpRequestException>
{
    /// <inheritdoc />
    protected override string HostSetting => "Alerts__WebhookUrl";

    /// <inheritdoc />
    protected override string CaSetting => "Alerts__WebhookCaFile";

    /// <inheritdoc />
    protected override async Task CallAsync(Uri server)
    {
        await using var services = new ServiceCollection()
            .AddAlerts(
                new ConfigurationBuilder()
                    .AddInMemoryCollection([
                        KeyValuePair.Create("Alerts:WebhookUrl", (string?)server.ToString()),
                        KeyValuePair.Create("Alerts:WebhookToken", (string?)"secret"),
                        KeyValuePair.Create("Alerts:WebhookCaFile", (string?)Authority.CaFile),
                    ])
                    .Build()
            )
            .BuildServiceProvider();
        await services
            .GetRequiredService<IAlertReceiver>()
            .TellAsync(new Alert { Rule = "no-workers", Says = "Nobody works." }, CancellationToken.None);
    }
}
