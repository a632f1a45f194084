using System.Net.Http.Headers;

namespace Orders.CrashPoints.Tests.Lanes;

/// <summary>Sends requests to a process that may die meanwhile, and has another address when it is back.</summary>
internal sealed class HostClient(HostProcess process) : IDisposable
{
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(30) };

    /// <summary>Sends a request once.</summary>
    /// <returns>The answer; null when there was none: the process may have died before, during or after its work.</returns>
    public async Task<HttpResponseMessage?> TrySendAsync(
        HttpMethod method,
        string path,
        string bearer,
        HttpContent? content = null,
        string? idempotencyKey = null
    )
    {
        if (process.Address is not { } address)
            return null;
        using var request = new HttpRequestMessage(method, new Uri(address, path)) { Content = content };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", bearer);
        if (idempotencyKey is not null)
            request.Headers.Add("Idempotency-Key", idempotencyKey);
        try
        {
            return await _http.SendAsync(request);
        }
        catch (Exception exception) when (exception is HttpRequestException or TaskCanceledException)
        {
            return null;
        }
    }

    public void Dispose() => _http.Dispose();
}
