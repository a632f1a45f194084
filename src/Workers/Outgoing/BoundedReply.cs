using System.Globalization;
using System.Net.Http.Headers;
using System.Text;

namespace Orders.Workers.Outgoing;

/// <summary>
/// A reply that is not 2xx, as far as it is kept. A broken or hostile reply may be endless, huge, no UTF-8 or full of
/// control characters: at most 4 KiB of it are read within 2 seconds, and the status alone decides what it means
/// if nothing legible is there.
/// </summary>
internal sealed record BoundedReply
{
    private const int MostBytes = 4096;
    private const int MostShown = 200;
    private static readonly TimeSpan MostTime = TimeSpan.FromSeconds(2);

    // What APIs say about a key that is in use: the title in the IETF's draft ("A request is outstanding for this
    // Idempotency-Key") and the words of those that came before it.
    private static readonly string[] InProgressWords =
    [
        "in progress",
        "in-progress",
        "in_progress",
        "outstanding",
        "in flight",
        "in-flight",
        "in use",
        "in_use",
        "being processed",
        "still processing",
        "concurrent",
    ];

    /// <summary>The HTTP status.</summary>
    public required int Status { get; init; }

    /// <summary>The beginning of the body, legible; at most 200 characters, without half a surrogate pair.</summary>
    public required string Text { get; init; }

    /// <summary>Host and port that a redirect leads to; null when it names none.</summary>
    public string? RedirectsTo { get; init; }

    /// <summary>The wait that <c>Retry-After</c> asks for; null when there is none or it is over.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>
    /// Whether a 409 means a call with this key that is not over, as in draft-ietf-httpapi-idempotency-key-header: it
    /// says so, or says when to come again, or says nothing at all. Every other 409 is a conflict that stays.
    /// </summary>
    public bool IsKeyInProgress { get; private init; }

    /// <summary>Reads it.</summary>
    /// <param name="response">The response; its body has not been read.</param>
    /// <param name="clock">Tells how long it is until a date, if the response has none of its own.</param>
    /// <param name="cancellationToken">The caller's: gives the read up.</param>
    public static async Task<BoundedReply> ReadAsync(
        HttpResponseMessage response,
        TimeProvider clock,
        CancellationToken cancellationToken
    )
    {
        var (body, end) = await ReadBeginningAsync(response.Content, cancellationToken);
        var retryAfter = WaitIn(response.Headers, clock.GetUtcNow());
        return new BoundedReply
        {
            Status = (int)response.StatusCode,
            Text = $"{Legible(body)} {end}".Trim(),
            RedirectsTo = response.Headers.Location is { IsAbsoluteUri: true } location ? location.Authority : null,
            RetryAfter = retryAfter,
            IsKeyInProgress = retryAfter is not null || string.IsNullOrWhiteSpace(body) || SaysInProgress(body),
        };
    }

    private static bool SaysInProgress(string body) =>
        body.Contains("idempoten", StringComparison.OrdinalIgnoreCase)
        && InProgressWords.Any(word => body.Contains(word, StringComparison.OrdinalIgnoreCase));

    // Both moments are the receiver's where it sends a Date: its clock need not be ours.
    private static TimeSpan? WaitIn(HttpResponseHeaders headers, DateTimeOffset now)
    {
        var wait = headers.RetryAfter switch
        {
            { Delta: { } seconds } => seconds,
            { Date: { } date } => date - (headers.Date ?? now),
            _ => TimeSpan.Zero,
        };
        return wait > TimeSpan.Zero ? wait : null;
    }

    private static async Task<(string Body, string End)> ReadBeginningAsync(
        HttpContent content,
        CancellationToken cancellationToken
    )
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(MostTime);
        var buffer = new byte[MostBytes];
        var length = 0;
        var end = "";
        try
        {
            await using var stream = await content.ReadAsStreamAsync(limit.Token);
            int read;
            while (length < MostBytes && (read = await stream.ReadAsync(buffer.AsMemory(length), limit.Token)) > 0)
                length += read;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            end = $"(its reply had not ended after {MostTime.TotalSeconds:0} s)";
        }
        catch (Exception exception) when (exception is IOException or HttpRequestException)
        {
            end = $"(its reply broke off: {exception.Message})";
        }

        // What is no UTF-8 becomes U+FFFD, also half a character at the end of the buffer.
        return (Encoding.UTF8.GetString(buffer, 0, length), end);
    }

    private static string Legible(string body)
    {
        var text = new StringBuilder(MostShown);
        foreach (var rune in body.EnumerateRunes())
        {
            if (text.Length + rune.Utf16SequenceLength > MostShown)
                break;
            if (Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.Control or UnicodeCategory.Format))
                text.Append(rune);
        }

        return text.ToString();
    }
}
