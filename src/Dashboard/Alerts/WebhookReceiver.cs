using System.Net.Http.Headers;
using QueueWorkers.Monitoring.Alerts;
using QueueWorkers.Tls;

namespace Orders.Dashboard.Alerts;

/// <summary>POSTs alerts as JSON.</summary>
internal sealed class WebhookReceiver(AlertOptions options) : IAlertReceiver, IDisposable
{
    // An alert and its token go to the address that was set, and nothing of the answer is needed but its status: a
    // redirect is not followed, a body is not read, and what is left of it is not waited for.
    private readonly HttpClient _http = new(
        new TrustedHandler(
            options.Trust,
            new SocketsHttpHandler
            {
                AllowAutoRedirect = false,
                UseCookies = false,
                ConnectTimeout = TimeSpan.FromSeconds(5),
                MaxResponseHeadersLength = 16,
                MaxResponseDrainSize = 0,
                PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            }
        )
    )
    {
        Timeout = TimeSpan.FromSeconds(10),
    };

    /// <inheritdoc />
    public string Name => "the webhook";

    /// <inheritdoc />
    public async Task TellAsync(Alert alert, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, options.WebhookUrl)
        {
            Content = JsonContent.Create(
                new
                {
                    id = alert.Id,
                    rule = alert.Rule,
                    subject = alert.Subject,
                    state = alert.ResolvedAt is null ? "firing" : "resolved",
                    text = alert.Says,
                    since = alert.Since,
                    resolvedAt = alert.ResolvedAt,
                    link = options.LinkTo(alert.Link),
                }
            ),
        };
        if (options.WebhookToken != "")
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", options.WebhookToken);
        using var response = await _http.SendAsync(
            request,
            HttpCompletionOption.ResponseHeadersRead,
            cancellationToken
        );
        if ((int)response.StatusCode is >= 300 and < 400)
            throw new HttpRequestException(
                $"Expected 2xx from {options.WebhookUrl!.Authority}, found a redirect ({(int)response.StatusCode}), which is never followed; set Alerts__WebhookUrl to the final address"
            );
        response.EnsureSuccessStatusCode();
    }

    /// <inheritdoc />
    public void Dispose() => _http.Dispose();
}
