using System.Net.Http.Headers;
using System.Net.Http.Json;
using Microsoft.AspNetCore.Builder;
using Orders.Infrastructure;
using Orders.Producer.Api;

namespace Orders.Dashboard.Tests;

/// <summary>The API as it is shipped, on a real port, and a client of it.</summary>
internal sealed class ShopApi : IAsyncDisposable
{
    /// <summary>The client that orders belong to.</summary>
    public const string Client = "shop";

    /// <summary>The key of this client.</summary>
    public const string Key = "ok_ShopShopShopShopShopShopShopShopShopShopSho";

    private readonly WebApplication _app;

    // Like a client without traces: the request is where its trace begins.
    private readonly HttpClient _http = new(new SocketsHttpHandler { ActivityHeadersPropagator = null });

    private ShopApi(WebApplication app)
    {
        _app = app;
        _http.BaseAddress = new Uri(app.Urls.Single());
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Key);
    }

    public Uri Address => _http.BaseAddress!;

    /// <summary>Starts it and waits until it is ready.</summary>
    public static async Task<ShopApi> StartAsync(OrdersSystem system)
    {
        await system.Database.ExecuteAsync(
            "insert into api_keys (id, client_id, hash, scopes) values ($1, $3, $2, array['orders:write', 'orders:read', 'webhooks:write'])",
            Guid.NewGuid(),
            ApiKeys.HashOf(Key),
            Client
        );
        var app = ApiApplication.Build([
            .. system
                .Settings(
                    ("urls", "http://127.0.0.1:0"),
                    ("environment", "Development"),
                    ("Logging:LogLevel:Default", "Warning")
                )
                .Select(s => $"--{s.Key}={s.Value}"),
        ]);
        await app.StartAsync();
        var api = new ShopApi(app);
        await Eventually.That(
            async () => (int)(await api._http.GetAsync("health/ready")).StatusCode,
            Is.EqualTo(200),
            "the status of the API's /health/ready"
        );
        return api;
    }

    /// <summary>Posts an order, which has to be accepted.</summary>
    public async Task PostAsync(string email)
    {
        using var answer = await _http.PostAsJsonAsync(
            "orders",
            new
            {
                customer = new { name = "Zoë Müller", email },
                lines = new[] { new { sku = "MUG-BLUE", quantity = 1 } },
                currency = "EUR",
                shippingAddress = new
                {
                    line1 = "Hafenstr. 1",
                    city = "Hamburg",
                    postalCode = "20457",
                    country = "DE",
                },
            }
        );
        Assert.That((int)answer.StatusCode, Is.EqualTo(202), await answer.Content.ReadAsStringAsync());
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
    }
}
