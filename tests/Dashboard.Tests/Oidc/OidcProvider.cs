using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Orders.Dashboard.Tests.Oidc;

/// <summary>
/// A small OpenID Connect provider: discovery, keys, authorization code with PKCE, signed id tokens. It lets everybody
/// in and says of them what a test wants; every check of the protocol that is the provider's is made.
/// </summary>
internal sealed class OidcProvider : IAsyncDisposable
{
    public const string ClientId = "orders-dashboard";
    public const string ClientSecret = "a secret of two";

    private readonly WebApplication _app;
    private readonly RSA _key = RSA.Create(2048);
    private readonly ConcurrentDictionary<string, (string Nonce, string Challenge, string Redirect)> _codes = new();

    private readonly ConcurrentDictionary<string, Dictionary<string, string>> _pushed = new();

    private OidcProvider()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        _app = builder.Build();
        _app.Urls.Add("http://127.0.0.1:0");
        _app.MapGet("/.well-known/openid-configuration", Discovery);
        _app.MapGet("/keys", Keys);
        _app.MapGet("/authorize", Authorize);
        _app.MapPost("/token", TokenAsync);
        _app.MapPost("/par", PushAsync);
    }

    public string Issuer => _app.Urls.Single();

    /// <summary>What the next id token says; null leaves a claim out.</summary>
    public Identity Next { get; set; } = new();

    /// <summary>Whether it takes pushed authorization requests (RFC 9126), and how well. Asked at discovery.</summary>
    public Pushed Pushed { get; set; }

    public static OidcProvider Start()
    {
        var provider = new OidcProvider();
        provider._app.Start();
        return provider;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _key.Dispose();
    }

    private IResult Discovery()
    {
        if (Pushed == Pushed.AwayBefore)
            return Results.StatusCode(StatusCodes.Status502BadGateway);
        var metadata = new Dictionary<string, object>
        {
            ["issuer"] = Issuer,
            ["authorization_endpoint"] = $"{Issuer}/authorize",
            ["token_endpoint"] = $"{Issuer}/token",
            ["jwks_uri"] = $"{Issuer}/keys",
            ["response_types_supported"] = new[] { "code" },
            ["subject_types_supported"] = new[] { "public" },
            ["id_token_signing_alg_values_supported"] = new[] { "RS256" },
            ["code_challenge_methods_supported"] = new[] { "S256" },
        };
        if (Pushed != Pushed.Never)
            // Nothing listens at the second address.
            metadata["pushed_authorization_request_endpoint"] =
                Pushed == Pushed.Away ? "http://127.0.0.1:1/par" : $"{Issuer}/par";
        return Results.Json(metadata);
    }

    private async Task<IResult> PushAsync(HttpRequest request)
    {
        if (Pushed == Pushed.Page)
            return Results.Content("<h1>502 Bad Gateway</h1>", "text/html", statusCode: 502);
        if (Pushed == Pushed.Broken)
            return Results.Content("{\"request_uri\":", "application/json", statusCode: 500);
        var form = await request.ReadFormAsync();
        if (Pushed == Pushed.Refuses || form["client_id"] != ClientId || form["client_secret"] != ClientSecret)
            return Results.Json(new { error = "invalid_client" }, statusCode: 401);
        var uri = $"urn:ietf:params:oauth:request_uri:{Guid.NewGuid():N}";
        _pushed[uri] = form.ToDictionary(f => f.Key, f => f.Value.ToString());
        return Results.Json(new { request_uri = uri, expires_in = 60 }, statusCode: 201);
    }

    private IResult Keys()
    {
        var key = _key.ExportParameters(false);
        return Results.Json(
            new
            {
                keys = new[]
                {
                    new
                    {
                        kty = "RSA",
                        use = "sig",
                        alg = "RS256",
                        kid = "one",
                        n = Base64Url.EncodeToString(key.Modulus),
                        e = Base64Url.EncodeToString(key.Exponent),
                    },
                },
            }
        );
    }

    private IResult Authorize(HttpRequest request)
    {
        var query = request.Query.ToDictionary(q => q.Key, q => q.Value.ToString());
        if (query.GetValueOrDefault("request_uri") is { } uri)
        {
            if (!_pushed.TryRemove(uri, out var pushed) || query["client_id"] != ClientId)
                return Results.BadRequest();
            query = pushed;
        }
        else if (Pushed != Pushed.Never)
        {
            return Results.BadRequest();
        }

        if (
            query["client_id"] != ClientId
            || query["response_type"] != "code"
            || query["code_challenge_method"] != "S256"
            || !query["scope"].Split(' ').Contains("openid")
        )
            return Results.BadRequest();
        var code = Guid.NewGuid().ToString("N");
        var redirect = query["redirect_uri"];
        _codes[code] = (query["nonce"], query["code_challenge"], redirect);
        return Results.Redirect($"{redirect}?code={code}&state={Uri.EscapeDataString(query["state"])}");
    }

    private async Task<IResult> TokenAsync(HttpRequest request)
    {
        var form = await request.ReadFormAsync();
        if (
            !_codes.TryRemove(form["code"].ToString(), out var begun)
            || form["client_id"] != ClientId
            || form["client_secret"] != ClientSecret
            || form["redirect_uri"] != begun.Redirect
            || Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(form["code_verifier"].ToString())))
                != begun.Challenge
        )
            return Results.BadRequest(new { error = "invalid_grant" });
        return Results.Json(
            new
            {
                token_type = "Bearer",
                access_token = "unused",
                id_token = Token(begun.Nonce),
            }
        );
    }

    private string Token(string nonce)
    {
        var now = DateTimeOffset.UtcNow;
        var claims = new Dictionary<string, object?>
        {
            ["iss"] = Next.Issuer ?? Issuer,
            ["sub"] = Next.Subject,
            ["aud"] = Next.Audience,
            ["nonce"] = Next.Nonce ?? nonce,
            ["iat"] = (now + Next.ExpiresIn - TimeSpan.FromHours(1)).ToUnixTimeSeconds(),
            ["exp"] = (now + Next.ExpiresIn).ToUnixTimeSeconds(),
            ["preferred_username"] = Next.Name,
            ["roles"] = Next.Roles,
        };
        foreach (var absent in claims.Where(c => c.Value is null).Select(c => c.Key).ToArray())
            claims.Remove(absent);
        var text = $"{Part(new { alg = "RS256", typ = "JWT", kid = "one" })}.{Part(claims)}";
        using var another = RSA.Create(2048);
        var signature = (Next.IsForged ? another : _key).SignData(
            Encoding.ASCII.GetBytes(text),
            HashAlgorithmName.SHA256,
            RSASignaturePadding.Pkcs1
        );
        return $"{text}.{Base64Url.EncodeToString(signature)}";
    }

    private static string Part(object value) => Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(value));
}

/// <summary>Whether a provider takes pushed authorization requests.</summary>
internal enum Pushed
{
    /// <summary>It has no such endpoint.</summary>
    Never,

    /// <summary>It takes them, and takes no others.</summary>
    Works,

    /// <summary>Nothing listens at the endpoint.</summary>
    Away,

    /// <summary>A proxy in front of it answers with a page.</summary>
    Page,

    /// <summary>It answers with half a JSON text.</summary>
    Broken,

    /// <summary>It does not know the dashboard's secret.</summary>
    Refuses,

    /// <summary>Its discovery fails.</summary>
    AwayBefore,
}

/// <summary>What a provider says of somebody.</summary>
internal sealed record Identity
{
    public string Subject { get; init; } = "4711";
    public string? Name { get; init; } = "lena";
    public string[]? Roles { get; init; } = ["staff", "orders-support"];
    public string Audience { get; init; } = OidcProvider.ClientId;
    public TimeSpan ExpiresIn { get; init; } = TimeSpan.FromMinutes(5);
    public string? Nonce { get; init; }
    public string? Issuer { get; init; }
    public bool IsForged { get; init; }
}
