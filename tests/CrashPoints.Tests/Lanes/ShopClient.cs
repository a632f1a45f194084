using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Orders.Infrastructure;
using Orders.Testing;

namespace Orders.CrashPoints.Tests.Lanes;

/// <summary>
/// A client as the documentation wants it: an answer that does not come, or says "try again", makes it post again with
/// the same Idempotency-Key.
/// </summary>
internal sealed class ShopClient(HostProcess api, string key) : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly HostClient _http = new(api);

    /// <summary>Posts an order until it is accepted.</summary>
    /// <returns>Its id.</returns>
    public async Task<Guid> PostAsync(PostedOrder order)
    {
        var id = Guid.Empty;
        await Eventually.Is(
            async () =>
            {
                using var body = new StringContent(order.Body, new MediaTypeHeaderValue("application/json"));
                using var answer = await _http.TrySendAsync(HttpMethod.Post, "/orders", key, body, order.Key);
                if (answer is not { IsSuccessStatusCode: true })
                {
                    // Refused for what it is, and not for the moment: no repeating helps.
                    if (
                        answer is
                        {
                            StatusCode: >= HttpStatusCode.BadRequest
                                and < HttpStatusCode.InternalServerError
                                and not HttpStatusCode.Conflict
                        }
                    )
                        throw new AssertionException(
                            $"Expected the order to be accepted, found {answer.StatusCode}: {await answer.Content.ReadAsStringAsync()}"
                        );
                    return false;
                }

                id = (await answer.Content.ReadFromJsonAsync<JsonNode>())!["id"]!.GetValue<Guid>();
                return true;
            },
            "the order is accepted",
            Patience
        );
        return id;
    }

    /// <summary>Cancels an order, and asks until it is.</summary>
    public Task CancelAsync(PostedOrder order) =>
        Eventually.Is(
            async () =>
            {
                using var answer = await _http.TrySendAsync(HttpMethod.Post, $"/orders/{order.Id}/cancel", key);
                if (answer is { StatusCode: >= HttpStatusCode.BadRequest and < HttpStatusCode.InternalServerError })
                    throw new AssertionException(
                        $"Expected the order to be cancelled, found {answer.StatusCode}: {await answer.Content.ReadAsStringAsync()}"
                    );
                return answer is { IsSuccessStatusCode: true };
            },
            "the order is cancelled",
            Patience
        );

    /// <summary>Reads until the answer is a good one.</summary>
    public Task ReadAsync(string path) => Eventually.Is(() => TryReadAsync(path), $"GET {path} is answered", Patience);

    /// <summary>
    /// Shows a key that nobody has, until it is refused for that reason: well formed, or the database would not be
    /// asked.
    /// </summary>
    public Task KnockAsync() =>
        Eventually.Is(
            async () =>
            {
                using var answer = await _http.TrySendAsync(HttpMethod.Get, "/orders", ApiKeys.NewKey());
                return answer is { StatusCode: HttpStatusCode.Unauthorized };
            },
            "a stranger is refused",
            Patience
        );

    /// <summary>
    /// Posts an article that nobody sells under the key of an order, until the key is found to stand for another body.
    /// </summary>
    public Task AskForKeyAsync(PostedOrder order) =>
        Eventually.Is(
            async () =>
            {
                using var body = new StringContent(
                    order.Body.Replace("MUG-BLUE", "MUG-NONE", StringComparison.Ordinal),
                    new MediaTypeHeaderValue("application/json")
                );
                using var answer = await _http.TrySendAsync(HttpMethod.Post, "/orders", key, body, order.Key);
                return answer is { StatusCode: HttpStatusCode.UnprocessableEntity }
                    && (await answer.Content.ReadAsStringAsync()).Contains(
                        "idempotency-key-reused",
                        StringComparison.Ordinal
                    );
            },
            "the key is found",
            Patience
        );

    public void Dispose() => _http.Dispose();

    private async Task<bool> TryReadAsync(string path)
    {
        using var answer = await _http.TrySendAsync(HttpMethod.Get, path, key);
        return answer is { IsSuccessStatusCode: true };
    }
}
