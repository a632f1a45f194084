using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using QueueWorkers.Steps;

namespace Orders.Workers.Warehouse;

/// <summary>
/// Posts a pick list to the warehouse: signed, and under an idempotency key that is the order's: the same however often
/// a message comes, and for every message about the order.
/// A crash after the warehouse's answer repeats the call with that key, and the warehouse answers as before.
/// </summary>
public sealed class WarehouseClient(HttpClient http, WarehouseOptions options, TimeProvider clock)
{
    private const int AnswerShown = 200;

    /// <summary>Posts.</summary>
    /// <param name="key">The idempotency key: the same for every call about an order.</param>
    /// <param name="list">The pick list.</param>
    /// <param name="cancellationToken">Cancels the call; <see cref="WarehouseOptions.Timeout"/> limits it too.</param>
    /// <exception cref="PermanentFaultException">The warehouse refused (3xx, or 4xx other than 408, 425 and
    /// 429).</exception>
    /// <exception cref="WarehouseUnavailableException">No connection, no answer in time, 408, 425, 429 or 5xx: try
    /// again later.</exception>
    public Task PostAsync(Guid key, PickList list, CancellationToken cancellationToken) =>
        PostAsync(key.ToString(), list.ToJson(), cancellationToken);

    /// <summary>Recalls a pick list; the same address, signed in the same way.</summary>
    /// <param name="recall">The recall.</param>
    /// <param name="cancellationToken">Cancels the call; <see cref="WarehouseOptions.Timeout"/> limits it too.</param>
    /// <exception cref="PermanentFaultException">The warehouse refused.</exception>
    /// <exception cref="WarehouseUnavailableException">Try again later.</exception>
    public Task RecallAsync(Recall recall, CancellationToken cancellationToken) =>
        PostAsync(recall.Key, recall.ToJson(), cancellationToken);

    private async Task PostAsync(string key, byte[] body, CancellationToken cancellationToken)
    {
        using var request = Sign(key, body);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(options.Timeout);
        try
        {
            Failpoint.Hit("warehouse.before_post", Outside.Http);
            using var answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, limit.Token);
            Failpoint.Hit("warehouse.after_post", Outside.Http);
            if (!answer.IsSuccessStatusCode)
                throw Fault(
                    answer.StatusCode,
                    answer.Headers.Location,
                    await ReadBeginningAsync(answer.Content, limit.Token)
                );
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new WarehouseUnavailableException(
                $"The warehouse at {options.Url.Authority} did not answer within Warehouse:Timeout of {options.Timeout.TotalSeconds:0.#} s."
            );
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException)
        {
            throw new WarehouseUnavailableException(
                $"The warehouse at {options.Url.Authority} could not be reached or broke off: {exception.Message}"
            );
        }
    }

    private HttpRequestMessage Sign(string id, byte[] body)
    {
        var timestamp = clock.GetUtcNow().ToUnixTimeSeconds();
        return new HttpRequestMessage(HttpMethod.Post, options.Url)
        {
            Content = new ByteArrayContent(body)
            {
                Headers = { ContentType = new MediaTypeHeaderValue("application/json", "utf-8") },
            },
            Headers =
            {
                { "Idempotency-Key", id },
                { "webhook-id", id },
                { "webhook-timestamp", timestamp.ToString(CultureInfo.InvariantCulture) },
                { "webhook-signature", WebhookSignature.Sign(options.Key, id, timestamp, body) },
            },
        };
    }

    private Exception Fault(HttpStatusCode status, Uri? location, string answer) =>
        (int)status switch
        {
            >= 500 or 408 or 425 or 429 => new WarehouseUnavailableException(
                $"The warehouse at {options.Url.Authority} cannot take orders now: {(int)status} {answer}".TrimEnd()
            ),
            >= 300 and < 400 => new PermanentFaultException(
                $"Expected the warehouse's answer from {options.Url.Authority}, found a redirect ({(int)status}{Towards(location)}), which is never followed: "
                    + "a signed pick list goes to the configured address only. Set Warehouse__Url to the final address, then redrive."
            )
            {
                IsAnswer = true,
            },
            _ => new PermanentFaultException(
                $"The warehouse at {options.Url.Authority} refused the pick list: {(int)status} {answer}".TrimEnd()
                    + ". Settle it with the warehouse, then redrive."
            )
            {
                IsAnswer = true,
            },
        };

    private static string Towards(Uri? location) =>
        location is { IsAbsoluteUri: true } ? $" to {location.Authority}" : "";

    // A hostile or broken answer may be endless or full of control characters; what ends up in logs and pages is short
    // and printable.
    private static async Task<string> ReadBeginningAsync(HttpContent content, CancellationToken cancellationToken)
    {
        try
        {
            await using var stream = await content.ReadAsStreamAsync(cancellationToken);
            var buffer = new byte[4 * AnswerShown];
            var length = await stream.ReadAtLeastAsync(
                buffer,
                buffer.Length,
                throwOnEndOfStream: false,
                cancellationToken
            );
            var text = new string([
                .. Encoding
                    .UTF8.GetString(buffer, 0, length)
                    .Where(c => !char.IsControl(c) && char.GetUnicodeCategory(c) != UnicodeCategory.Format),
            ]);
            return text.Length <= AnswerShown ? text : text[..AnswerShown];
        }
        catch (Exception exception) when (exception is IOException or HttpRequestException)
        {
            return $"(its answer broke off: {exception.Message})";
        }
    }
}
