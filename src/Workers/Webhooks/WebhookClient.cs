using System.Globalization;
using System.Net.Http.Headers;
using Orders.Infrastructure.Webhooks;
using Orders.Workers.Outgoing;
using QueueWorkers.Steps;

namespace Orders.Workers.Webhooks;

/// <summary>
/// Posts an event to a client's address, signed as in Standard Webhooks. A 2xx is an acceptance as soon as its header
/// has come. What other answers mean is in docs/webhooks.md.
/// A crash after the answer repeats the call with the same <c>webhook-id</c>.
/// </summary>
public sealed class WebhookClient(HttpClient http, WebhookOptions options, TimeProvider clock)
{
    private static readonly TimeSpan LongestRetryAfter = TimeSpan.FromHours(1);

    /// <summary>Posts.</summary>
    /// <param name="call">What to deliver.</param>
    /// <param name="url">Where to.</param>
    /// <param name="cancellationToken">Cancels the call; <see cref="WebhookOptions.Timeout"/> limits it too.</param>
    /// <exception cref="PermanentFaultException">The address is not allowed, redirects, or is gone.</exception>
    /// <exception cref="WebhookFailedException">No connection, no answer in time, or any other answer: try again
    /// later.</exception>
    public async Task PostAsync(WebhookCall call, Uri url, CancellationToken cancellationToken)
    {
        using var request = Sign(call, url);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(options.Timeout);
        try
        {
            Failpoint.Hit("webhook.before_post", Outside.Http);
            using var answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, limit.Token);
            Failpoint.Hit("webhook.after_post", Outside.Http);
            if (!answer.IsSuccessStatusCode)
                throw FaultOf(await BoundedReply.ReadAsync(answer, clock, cancellationToken), url);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new WebhookFailedException(
                $"{url.Authority} did not answer within Webhooks:Timeout of {options.Timeout.TotalSeconds:0.#} s."
            );
        }
        catch (HttpRequestException exception) when (exception.InnerException is RefusedAddressException refused)
        {
            throw new PermanentFaultException(refused.Message, exception);
        }
        catch (HttpRequestException exception) when (options.Trust.Explain(exception) is { } why)
        {
            throw new WebhookFailedException(why);
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException)
        {
            throw new WebhookFailedException($"{url.Authority} could not be reached or broke off: {exception.Message}");
        }
    }

    private static Exception FaultOf(BoundedReply reply, Uri url)
    {
        var found = $"{reply.Status} {reply.Text}".TrimEnd();
        return reply.Status switch
        {
            >= 300 and < 400 => new PermanentFaultException(
                $"Expected the answer of {url.Authority}, found a redirect ({reply.Status}), which is never followed: a signed event goes to the registered address only. The client registers the final address."
            ),
            410 => new PermanentFaultException(
                $"{url.Authority} answered {found}: the address wants no more deliveries. The client removes the web hook, or serves the address again; then redrive."
            ),
            _ => new WebhookFailedException(
                $"Expected 2xx from {url.Authority}, found {found}",
                reply.RetryAfter > LongestRetryAfter ? LongestRetryAfter : reply.RetryAfter
            ),
        };
    }

    private HttpRequestMessage Sign(WebhookCall call, Uri url)
    {
        var body = WebhookEvent.Of(call).ToJson();
        var id = call.DeliveryId.ToString();
        var timestamp = clock.GetUtcNow().ToUnixTimeSeconds();
        return new HttpRequestMessage(HttpMethod.Post, url)
        {
            Content = new ByteArrayContent(body)
            {
                Headers = { ContentType = new MediaTypeHeaderValue("application/json", "utf-8") },
            },
            Headers =
            {
                { "User-Agent", "Orders-Webhooks" },
                { "webhook-id", id },
                { "webhook-timestamp", timestamp.ToString(CultureInfo.InvariantCulture) },
                {
                    "webhook-signature",
                    string.Join(' ', call.Secrets.Select(s => WebhookSignature.Sign(s, id, timestamp, body)))
                },
            },
        };
    }
}
