using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Orders.Testing;

namespace Orders.CrashPoints.Tests.Lanes;

/// <summary>
/// An operator as the documentation wants it: whoever gets no answer, or a 503, looks and asks again. What was carried
/// out without an answer is then refused as outstanding, as not open or for want of messages, and that is as good as an
/// answer.
/// </summary>
internal sealed class OperatorClient(HostProcess operators, string key) : IDisposable
{
    // Another request of ours, whose answer was lost, is still being carried out.
    private const string Busy = "busy";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly HostClient _http = new(operators);

    /// <summary>The process.</summary>
    public HostProcess Process { get; } = operators;

    /// <summary>Asks for a redrive of exactly these messages: one first, then the others.</summary>
    /// <param name="failures">The messages.</param>
    /// <param name="start">Whether it begins at once.</param>
    public Task RedriveAsync(IReadOnlyList<Guid> failures, bool start = true) =>
        AskAsync(
            HttpMethod.Post,
            "/api/redrives",
            new
            {
                filter = new { ids = failures },
                reason = "The warehouse is back.",
                canary = 1,
                start,
            },
            "outstanding",
            "nothing-matches"
        );

    /// <summary>Lets a redrive go on that has stopped.</summary>
    public Task ResumeAsync(Guid redrive) =>
        AskAsync(
            HttpMethod.Post,
            $"/api/redrives/{redrive}/resume",
            new { reason = "The warehouse is back." },
            "not-open"
        );

    /// <summary>A redrive, with the counts of its messages.</summary>
    public Task<JsonNode> ReadAsync(Guid redrive) => AskAsync(HttpMethod.Get, $"/api/redrives/{redrive}", null);

    /// <summary>Puts messages away.</summary>
    public Task ArchiveAsync(IReadOnlyList<Guid> failures) =>
        AskAsync(
            HttpMethod.Post,
            "/api/failures/archive",
            new { filter = new { ids = failures }, reason = "Not now." }
        );

    /// <summary>Brings messages back.</summary>
    public Task RestoreAsync(IReadOnlyList<Guid> failures) =>
        AskAsync(HttpMethod.Post, "/api/failures/restore", new { ids = failures, reason = "Now." });

    /// <summary>
    /// Says of the warehouse's uncertain effect on an order that it did not happen; its message is redriven with that.
    /// </summary>
    public Task SettleAsync(Guid order) =>
        AskAsync(
            HttpMethod.Post,
            $"/api/effects/{order}/warehouse/settle",
            new { happened = false, reason = "It has no such order." },
            "not-found",
            "outstanding",
            "nothing-matches"
        );

    public void Dispose() => _http.Dispose();

    private async Task<JsonNode> AskAsync(HttpMethod method, string path, object? body, params string[] asGood)
    {
        JsonNode? said = null;
        await Eventually.Is(
            async () =>
            {
                using var content = body is null ? null : JsonContent.Create(body);
                using var answer = await _http.TrySendAsync(method, path, key, content);
                if (answer is null or { StatusCode: >= HttpStatusCode.InternalServerError })
                    return false;
                said = await answer.Content.ReadFromJsonAsync<JsonNode>();
                var code = answer.IsSuccessStatusCode ? "" : said!["type"]!.GetValue<string>().Split(':')[^1];
                if (!answer.IsSuccessStatusCode && code != Busy && !asGood.Contains(code))
                    throw new AssertionException(
                        $"Expected {method} {path} to be done, found {answer.StatusCode}: {said}"
                    );
                return code != Busy;
            },
            $"{method} {path} is done",
            Patience
        );
        return said!;
    }
}
