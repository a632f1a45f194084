using System.Globalization;
using System.Net.Http.Headers;
using Orders.Workers.Outgoing;
using QueueWorkers.Steps;

namespace Orders.Workers.Warehouse;

/// <summary>
/// Posts a pick list to the warehouse: signed, and under an idempotency key that is the order's: the same however often
/// a message comes, and for every message about the order.
/// A crash after the warehouse's answer repeats the call with that key, and the warehouse answers as before.
/// A 2xx is an acceptance as soon as its header has come. What other answers mean is in docs/warehouse.md.
/// </summary>
public sealed class WarehouseClient(HttpClient http, WarehouseOptions options, TimeProvider clock)
{
    /// <summary>Posts.</summary>
    /// <param name="key">The idempotency key: the same for every call about an order.</param>
    /// <param name="list">The pick list.</param>
    /// <param name="cancellationToken">Cancels the call; <see cref="WarehouseOptions.Timeout"/> limits it too.</param>
    /// <exception cref="PermanentFaultException">The warehouse refused: 3xx, a 409 that is a conflict for good, other 4xx
    /// than those below.</exception>
    /// <exception cref="PickListBusyException">A call with this key is in progress (409), or 423 or 425: try again
    /// later.</exception>
    /// <exception cref="WarehouseUnavailableException">No connection, no answer in time, 408, 429 or 5xx: try again
    /// later.</exception>
    public Task PostAsync(Guid key, PickList list, CancellationToken cancellationToken) =>
        PostAsync(key.ToString(), list.ToJson(), cancellationToken);

    /// <summary>Recalls a pick list; the same address, signed in the same way.</summary>
    /// <param name="recall">The recall.</param>
    /// <param name="cancellationToken">Cancels the call; <see cref="WarehouseOptions.Timeout"/> limits it too.</param>
    /// <exception cref="PermanentFaultException">The warehouse refused.</exception>
    /// <exception cref="PickListBusyException">Try again later.</exception>
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
            // The status is known: from here on the time limit of the body holds, and its end changes nothing.
            if (!answer.IsSuccessStatusCode)
                throw WarehouseFault.Of(await BoundedReply.ReadAsync(answer, clock, cancellationToken), options);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new WarehouseUnavailableException(
                $"The warehouse at {options.Url.Authority} did not answer within Warehouse:Timeout of {options.Timeout.TotalSeconds:0.#} s."
            );
        }
        catch (HttpRequestException exception) when (options.Trust.Explain(exception) is { } why)
        {
            throw new WarehouseUnavailableException(why);
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
                { "webhook-signature", Signatures(id, timestamp, body) },
            },
        };
    }

    // Of both secrets while one replaces the other: the warehouse changes over when it likes.
    private string Signatures(string id, long timestamp, byte[] body)
    {
        var signature = WebhookSignature.Sign(options.Key, id, timestamp, body);
        return options.PreviousKey is { } previous
            ? $"{signature} {WebhookSignature.Sign(previous, id, timestamp, body)}"
            : signature;
    }
}
