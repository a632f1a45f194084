using Microsoft.Extensions.DependencyInjection;
using Orders.Infrastructure.Webhooks;
using Orders.Testing.Tls;
using Orders.Workers.Webhooks;

namespace Orders.Workers.Tests.Outgoing;

/// <summary>Events are not sent to a web hook that shows the certificate of somebody else.</summary>
public sealed class WebhookCertificateTests : ServerCertificateContract<WebhookFailedException>
{
    /// <inheritdoc />
    protected override string HostSetting => "the web hook's address";

    /// <inheritdoc />
    protected override string CaSetting => "Webhooks__CaFile";

    /// <inheritdoc />
    protected override string PlainTextRemedy => "address that speaks TLS";

    /// <inheritdoc />
    protected override async Task CallAsync(Uri server)
    {
        await using var services = new ServiceCollection()
            .AddWebhooks(
                Settings.Of(("Webhooks:AllowedNetworks", "127.0.0.0/8,::1/128"), ("Webhooks:CaFile", Authority.CaFile))
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
                    Url = server,
                    Secrets = [new byte[32]],
                },
                server,
                CancellationToken.None
            );
    }
}
