using System.Net.Http.Headers;
using QueueWorkers.Monitoring.Alerts;

namespace Orders.Dashboard.Alerts;

/// <summary>POSTs alerts as JSON.</summary>
internal sealed class WebhookReceiver(AlertOptions options) : IAlertReceiver, IDisposable
{
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(10) };

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
        using var response = await _http.SendAsync(request, cancellationToken);
        response.EnsureSuccessStatusCode();
    }

    /// <inheritdoc />
    public void Dispose() => _http.Dispose();
}
