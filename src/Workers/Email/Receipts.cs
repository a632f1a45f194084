using System.Text.Json;

namespace Orders.Workers.Email;

/// <summary>Asks the mail side whether it has accepted a mail.</summary>
public sealed class Receipts(HttpClient http, EmailOptions options)
{
    /// <summary>How long an answer may take.</summary>
    public static TimeSpan Timeout { get; } = TimeSpan.FromSeconds(3);

    /// <summary>Whether there is anybody to ask.</summary>
    public bool CanAnswer => options.ReceiptsUrl is not null;

    /// <summary>
    /// Whether the mail was accepted. Not cancellable from outside: at shutdown the outcome of what was sent matters
    /// more than the last second.
    /// </summary>
    /// <param name="messageId">Without angle brackets.</param>
    /// <exception cref="ReceiptsUnavailableException">Nobody answered, or not in the expected form: the question is
    /// still open.</exception>
    public async Task<bool> HasAcceptedAsync(string messageId)
    {
        var url = new UriBuilder(options.ReceiptsUrl!);
        url.Query = (url.Query.Length > 1 ? url.Query[1..] + "&" : "") + "messageId=" + Uri.EscapeDataString(messageId);
        using var patience = new CancellationTokenSource(Timeout);
        try
        {
            Failpoint.Hit("email.before_receipt", Outside.Http);
            using var answer = await http.GetAsync(url.Uri, patience.Token);
            answer.EnsureSuccessStatusCode();
            using var document = await JsonDocument.ParseAsync(
                await answer.Content.ReadAsStreamAsync(patience.Token),
                cancellationToken: patience.Token
            );
            return document.RootElement.ValueKind == JsonValueKind.Array
                ? document.RootElement.GetArrayLength() > 0
                : throw new ReceiptsUnavailableException($"it answered a JSON {document.RootElement.ValueKind}");
        }
        catch (JsonException)
        {
            throw new ReceiptsUnavailableException("it answered something that is no JSON");
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException)
        {
            throw new ReceiptsUnavailableException(exception.Message);
        }
        catch (OperationCanceledException)
        {
            throw new ReceiptsUnavailableException($"it did not answer within {Timeout.TotalSeconds:0.#} s");
        }
    }
}

/// <summary>
/// Whether a mail was accepted could not be found out now: a transient fault; the claim stays and the question is asked
/// again.
/// </summary>
public sealed class ReceiptsUnavailableException(string found)
    : Exception(
        $"Expected Email:ReceiptsUrl to answer a JSON array, found that {found}. If that lasts, correct Email__ReceiptsUrl."
    );
