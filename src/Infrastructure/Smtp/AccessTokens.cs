using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using QueueWorkers.Tls;

namespace Orders.Smtp;

/// <summary>
/// Access tokens for XOAUTH2: from a file, or from a token server by client credentials (RFC 6749, 4.4). The latter are
/// kept until shortly before they expire; all connections share one.
/// </summary>
internal sealed class AccessTokens(SmtpOAuthOptions options) : IDisposable
{
    // A token that expires while it is on its way is refused.
    private static readonly TimeSpan Margin = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan LongestLifetime = TimeSpan.FromDays(1);
    private const long LargestAnswer = 64 * 1024;

    private readonly HttpClient _http = new(
        new TrustedHandler(
            // Who gives tokens is seldom the mail server, and its authority a public one.
            new ServerTrust("The token server", CaFile: null)
            {
                HostSetting = "Email__Smtp__OAuth__TokenUrl",
                WithoutTls = "Set Email__Smtp__OAuth__TokenUrl to the port with TLS.",
            },
            new SocketsHttpHandler { AllowAutoRedirect = false, PooledConnectionLifetime = TimeSpan.FromMinutes(2) }
        )
    )
    {
        MaxResponseContentBufferSize = LargestAnswer,
    };

    private readonly SemaphoreSlim _gate = new(1);
    private Kept? _kept;

    /// <summary>A token.</summary>
    /// <param name="refused">The token that the mail server has just refused; it is not given again.</param>
    /// <param name="cancellationToken">The time limit of the mail.</param>
    /// <exception cref="SmtpLoginException">There is none.</exception>
    public async Task<string> GetAsync(string? refused, CancellationToken cancellationToken)
    {
        if (options.TokenFile is not null)
            return await SecretFile.ReadAsync(null, options.TokenFile, cancellationToken);
        await _gate.WaitAsync(cancellationToken);
        try
        {
            if (_kept is not { } kept || kept.HasExpired || kept.Token == refused)
                _kept = kept = await AskAsync(cancellationToken);
            return kept.Token;
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _http.Dispose();
        _gate.Dispose();
    }

    private async Task<Kept> AskAsync(CancellationToken cancellationToken)
    {
        var form = new Dictionary<string, string>
        {
            ["grant_type"] = "client_credentials",
            ["client_id"] = options.ClientId!,
            ["client_secret"] = await SecretFile.ReadAsync(
                options.ClientSecret,
                options.ClientSecretFile,
                cancellationToken
            ),
        };
        if (options.Scope is not null)
            form["scope"] = options.Scope;
        try
        {
            using var body = new FormUrlEncodedContent(form);
            using var answer = await _http.PostAsync(options.TokenUrl, body, cancellationToken);
            // JSON is UTF-8, whatever charset the answer names.
            await using var text = await answer.Content.ReadAsStreamAsync(cancellationToken);
            if (!answer.IsSuccessStatusCode)
                throw Refused($"{(int)answer.StatusCode} {await ErrorInAsync(text, cancellationToken)}");
            using var document = await JsonDocument.ParseAsync(text, cancellationToken: cancellationToken);
            var root = document.RootElement;
            return
                root.ValueKind == JsonValueKind.Object
                && root.TryGetProperty("access_token", out var token)
                && token.ValueKind == JsonValueKind.String
                && token.GetString() is { Length: > 0 } given
                ? new Kept(given, ExpiryOf(root))
                : throw Refused("no access_token");
        }
        catch (JsonException exception)
        {
            throw Refused("something that is no JSON", exception);
        }
        catch (InvalidOperationException exception)
        {
            // JSON has strings that are no text, such as "\ud800".
            throw Refused("a text that cannot be read", exception);
        }
        catch (HttpRequestException exception)
        {
            throw Refused(exception.Message, exception);
        }
    }

    // A number by RFC 6749, and text with some servers. Without a lifetime the token serves one login.
    private static TimeSpan ExpiryOf(JsonElement answer) =>
        answer.TryGetProperty("expires_in", out var member)
        && member.ValueKind is JsonValueKind.Number or JsonValueKind.String
        && double.TryParse(member.ToString(), NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds)
        && seconds > 0
            ? TimeSpan.FromSeconds(Math.Min(seconds, LongestLifetime.TotalSeconds))
            : TimeSpan.Zero;

    // RFC 6749, 5.2: { "error": "invalid_client" }. Anything else the server says stays out of logs.
    private static async Task<string> ErrorInAsync(Stream text, CancellationToken cancellationToken)
    {
        try
        {
            using var document = await JsonDocument.ParseAsync(text, cancellationToken: cancellationToken);
            return
                document.RootElement.ValueKind == JsonValueKind.Object
                && document.RootElement.TryGetProperty("error", out var error)
                && error.ValueKind == JsonValueKind.String
                ? error.GetString()!
                : "";
        }
        catch (JsonException)
        {
            return "";
        }
    }

    private SmtpLoginException Refused(string found, Exception? cause = null) =>
        new(
            $"Expected an access token from {options.TokenUrl!.GetLeftPart(UriPartial.Path)}, found: {found.TrimEnd()}. Check Email:Smtp:OAuth.",
            cause
        );

    private sealed record Kept(string Token, TimeSpan Lifetime)
    {
        private readonly long _since = Stopwatch.GetTimestamp();

        public bool HasExpired => Stopwatch.GetElapsedTime(_since) + Margin >= Lifetime;
    }
}
