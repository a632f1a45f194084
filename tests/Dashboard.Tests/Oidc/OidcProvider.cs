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
    }

    public string Issuer => _app.Urls.Single();

    /// <summary>What the next id token says; null leaves a claim out.</summary>
    public Identity Next { get; set; } = new();

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

    private IResult Discovery() =>
        Results.Json(
            new Dictionary<string, object>
            {
                ["issuer"] = Issuer,
                ["authorization_endpoint"] = $"{Issuer}/authorize",
                ["token_endpoint"] = $"{Issuer}/token",
                ["jwks_uri"] = $"{Issuer}/keys",
                ["response_types_supported"] = new[] { "code" },
                ["subject_types_supported"] = new[] { "public" },
                ["id_token_signing_alg_values_supported"] = new[] { "RS256" },
                ["code_challenge_methods_supported"] = new[] { "S256" },
            }
        );

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
        var query = request.Query;
        if (
            query["client_id"] != ClientId
            || query["response_type"] != "code"
            || query["code_challenge_method"] != "S256"
            || !query["scope"].ToString().Split(' ').Contains("openid")
        )
            return Results.BadRequest();
        var code = Guid.NewGuid().ToString("N");
        var redirect = query["redirect_uri"].ToString();
        _codes[code] = (query["nonce"].ToString(), query["code_challenge"].ToString(), redirect);
        return Results.Redirect($"{redirect}?code={code}&state={Uri.EscapeDataString(query["state"].ToString())}");
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
        using var stranger = RSA.Create(2048);
        var signature = (Next.IsForged ? stranger : _key).SignData(
            Encoding.ASCII.GetBytes(text),
            HashAlgorithmName.SHA256,
            RSASignaturePadding.Pkcs1
        );
        return $"{text}.{Base64Url.EncodeToString(signature)}";
    }

    private static string Part(object value) => Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(value));
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
