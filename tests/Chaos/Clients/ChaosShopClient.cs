using System.Diagnostics;
using System.Net.Http.Headers;
using System.Text.Json;

namespace Orders.Chaos.Clients;

/// <summary>
/// A client as clients ought to be: it writes down what it is about to do, posts under a key, and when it learns
/// nothing it posts the same again, until it has an answer or gives up.
/// </summary>
public sealed class ChaosShopClient : IDisposable
{
    private static readonly MediaTypeHeaderValue Json = new("application/json");
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan AnswerTime = TimeSpan.FromSeconds(10);

    private readonly HttpClient _http;
    private readonly History _history;
    private readonly TimeSpan _patience;

    /// <summary>Creates one.</summary>
    /// <param name="api">Where orders are posted to.</param>
    /// <param name="key">The API key.</param>
    /// <param name="history">Where it writes what happens.</param>
    /// <param name="patience">How long it repeats an order that it has no answer to.</param>
    public ChaosShopClient(Uri api, string key, History history, TimeSpan patience)
    {
        (_history, _patience) = (history, patience);
        _http = new HttpClient(
            new SocketsHttpHandler
            {
                MaxConnectionsPerServer = 512,
                UseProxy = false,
                UseCookies = false,
                ConnectTimeout = TimeSpan.FromSeconds(5),
                PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
            }
        )
        {
            BaseAddress = api,
            Timeout = AnswerTime,
        };
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
    }

    /// <summary>Posts an order until the client knows what became of it.</summary>
    public async Task PostAsync(BookedOrder order, CancellationToken cancellationToken)
    {
        var watch = Stopwatch.StartNew();
        var attempt = 1;
        for (
            var pause = FirstPause;
            await TryAsync(order, attempt++, cancellationToken) is HistoryEvent.Unknown;
            pause = TimeSpan.FromTicks(Math.Min(pause.Ticks * 2, LongestPause.Ticks))
        )
        {
            if (watch.Elapsed > _patience)
                return;
            await Task.Delay(pause, cancellationToken);
        }

        if (order.PostedTwice)
            await TryAsync(order, attempt, cancellationToken);
    }

    /// <inheritdoc />
    public void Dispose() => _http.Dispose();

    private async Task<string> TryAsync(BookedOrder order, int attempt, CancellationToken cancellationToken)
    {
        _history.Add(
            new HistoryEvent(
                DateTimeOffset.UtcNow,
                HistoryEvent.Invoked,
                order.Key,
                attempt,
                attempt == 1 ? order.Address : null,
                attempt == 1 ? order.Lines : null
            )
        );
        var watch = Stopwatch.StartNew();
        HistoryEvent result;
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "orders")
            {
                Content = new ByteArrayContent(order.Body) { Headers = { ContentType = Json } },
            };
            request.Headers.Add("Idempotency-Key", order.Key);
            using var answer = await _http.SendAsync(request, cancellationToken);
            var text = await answer.Content.ReadAsByteArrayAsync(cancellationToken);
            var status = (int)answer.StatusCode;
            // 409 and 429 say "not now": the key's first request is still running, or this client sends too much.
            var outcome =
                answer.IsSuccessStatusCode ? HistoryEvent.Ok
                : status is >= 400 and < 500 and not (409 or 429) ? HistoryEvent.Failed
                : HistoryEvent.Unknown;
            result = new HistoryEvent(
                DateTimeOffset.UtcNow,
                outcome,
                order.Key,
                attempt,
                Status: status,
                OrderId: outcome == HistoryEvent.Ok ? IdOf(text) : null
            );
        }
        catch (Exception fault)
            when (fault is HttpRequestException or IOException
                || (fault is OperationCanceledException && !cancellationToken.IsCancellationRequested)
            )
        {
            result = new HistoryEvent(
                DateTimeOffset.UtcNow,
                HistoryEvent.Unknown,
                order.Key,
                attempt,
                Fault: fault.Message
            );
        }

        _history.Add(result with { Milliseconds = Math.Round(watch.Elapsed.TotalMilliseconds, 1) });
        return result.Event;
    }

    private static Guid IdOf(byte[] answer)
    {
        using var document = JsonDocument.Parse(answer);
        return document.RootElement.GetProperty("id").GetGuid();
    }
}
