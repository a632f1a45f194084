using System.Net.Http.Headers;
using System.Text.Json;

namespace Orders.Bench.Load.Driving;

/// <summary>Posts orders over keep-alive connections, as many as there are clients.</summary>
public sealed class OrderClient : IDisposable
{
    private static readonly MediaTypeHeaderValue Json = new("application/json");

    private readonly HttpClient http;

    public OrderClient(Uri system, IReadOnlyDictionary<string, string> headers, int connections)
    {
        http = new HttpClient(
            new SocketsHttpHandler
            {
                MaxConnectionsPerServer = connections,
                UseCookies = false,
                UseProxy = false,
            }
        )
        {
            BaseAddress = system,
        };
        foreach (var (name, value) in headers)
            http.DefaultRequestHeaders.Add(name, value);
    }

    /// <returns>The id the system gave the order.</returns>
    /// <exception cref="InvalidOperationException">The answer was not 202; the message holds what it was.</exception>
    public async Task<string> PostAsync(byte[] body, CancellationToken cancel)
    {
        using var content = new ByteArrayContent(body);
        content.Headers.ContentType = Json;
        using var response = await http.PostAsync("/orders", content, cancel);
        var answer = await response.Content.ReadAsByteArrayAsync(cancel);
        if ((int)response.StatusCode != 202)
            throw new InvalidOperationException(
                $"expected 202 from POST {http.BaseAddress}orders, got {(int)response.StatusCode}: {System.Text.Encoding.UTF8.GetString(answer)}"
            );
        return Id(answer);
    }

    public async Task<bool> IsReadyAsync(Uri url, CancellationToken cancel) =>
        (await http.GetAsync(url, cancel)).IsSuccessStatusCode;

    public void Dispose() => http.Dispose();

    private static string Id(byte[] answer)
    {
        var reader = new Utf8JsonReader(answer);
        while (reader.Read())
        {
            if (
                reader.TokenType == JsonTokenType.PropertyName
                && reader.CurrentDepth == 1
                && reader.ValueTextEquals("id"u8)
                && reader.Read()
            )
                return reader.GetString()!;
        }

        throw new InvalidOperationException(
            $"expected a member `id` in the answer, got {System.Text.Encoding.UTF8.GetString(answer)}"
        );
    }
}
