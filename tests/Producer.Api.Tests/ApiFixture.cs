using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Npgsql;
using Orders.Infrastructure;
using Orders.Testing.Servers;

namespace Orders.Producer.Api.Tests;

/// <summary>
/// A fixture with an API of its own, its database, a small catalogue, four steps and the keys of two clients.
/// </summary>
internal abstract class ApiFixture
{
    protected const string Alice = "ok_AliceAliceAliceAliceAliceAliceAliceAliceAli";
    protected const string Bob = "ok_Bob-Bob-Bob-Bob-Bob-Bob-Bob-Bob-Bob-Bob-Bob";
    protected const string AliceReads = "ok_AliceMayReadAliceMayReadAliceMayReadAliceMa";
    protected const string AliceWrites = "ok_AliceMayWriteAliceMayWriteAliceMayWriteAlic";

    private readonly HttpClient _http = new(new SocketsHttpHandler { AllowAutoRedirect = false });

    protected ApiHost Api { get; private set; } = null!;

    protected TestDatabase Database { get; private set; } = null!;

    protected virtual IEnumerable<(string Name, string Value)> Settings => [];

    [OneTimeSetUp]
    public async Task StartApiAsync()
    {
        Database = await TestDatabase.CreateAsync();
        await SeedAsync(Database.Source);
        Api = await ApiHost.StartAsync(Database.ConnectionString, Settings);
        await UntilReadyAsync();
    }

    [OneTimeTearDown]
    public async Task StopApiAsync()
    {
        _http.Dispose();
        await Api.DisposeAsync();
        await Database.DisposeAsync();
    }

    /// <summary>Stops the API and starts another one on the same database; the later settings win.</summary>
    protected async Task RestartApiAsync(params IEnumerable<(string Name, string Value)> settings)
    {
        await Api.DisposeAsync();
        Api = await ApiHost.StartAsync(Database.ConnectionString, Settings.Concat(settings));
        await UntilReadyAsync();
    }

    /// <summary>Fills a database with what every fixture here has.</summary>
    public static async Task SeedAsync(NpgsqlDataSource database)
    {
        await using var command = database.CreateCommand(
            """
            insert into catalogue (sku, name, price_eur, price_usd, price_gbp, vat_rate, sold) values
                ('MUG-BLUE', 'Mug, blue', 9.90, 10.90, 8.50, 19, true), ('TEA-GREEN', 'Green tea', 4.25, 4.80, 3.70, 7, true),
                    ('LAMP-OLD', 'Lamp', 30, 33, 27, 19, false);
            insert into stock (sku, initial, on_hand) values ('MUG-BLUE', 10, 7), ('TEA-GREEN', 5, 5);
            insert into step_catalogue (step, bit, position, active)
                values ('email', 1, 0, true), ('inventory', 2, 1, true), ('invoice', 4, 2, true),
                ('warehouse', 8, 3, true)
            """
        );
        await command.ExecuteNonQueryAsync();
        await AddKeyAsync(database, "alice", Alice, "orders:write", "orders:read");
        await AddKeyAsync(database, "bob", Bob, "orders:write", "orders:read");
        await AddKeyAsync(database, "alice", AliceReads, "orders:read");
        await AddKeyAsync(database, "alice", AliceWrites, "orders:write");
    }

    protected Task AddKeyAsync(string client, string key, params string[] scopes) =>
        AddKeyAsync(Database.Source, client, key, scopes);

    private static async Task AddKeyAsync(NpgsqlDataSource database, string client, string key, params string[] scopes)
    {
        await using var command = database.CreateCommand(
            "insert into api_keys (id, client_id, hash, scopes) values ($1, $2, $3, $4)"
        );
        foreach (var value in new object[] { Guid.NewGuid(), client, ApiKeys.HashOf(key), scopes })
            command.Parameters.Add(new() { Value = value });
        await command.ExecuteNonQueryAsync();
    }

    protected Task UntilReadyAsync() =>
        Eventually.That(
            async () => (await SendAsync(HttpMethod.Get, "/health/ready", null)).Status,
            Is.EqualTo(200),
            "the status of /health/ready"
        );

    protected Task<Answer> GetAsync(string path, string? key = Alice) => SendAsync(HttpMethod.Get, path, key);

    protected Task<Answer> PostAsync(string body, string? key = Alice, string? idempotencyKey = null) =>
        SendAsync(
            HttpMethod.Post,
            "/orders",
            key,
            Json(body),
            idempotencyKey is null ? [] : [("Idempotency-Key", idempotencyKey)]
        );

    public static ByteArrayContent Json(string body) => Json(Encoding.UTF8.GetBytes(body));

    protected static ByteArrayContent Json(byte[] body) =>
        new(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };

    protected async Task<Answer> SendAsync(
        HttpMethod method,
        string path,
        string? key,
        HttpContent? content = null,
        params IEnumerable<(string Name, string Value)> headers
    )
    {
        using var request = new HttpRequestMessage(method, new Uri(Api.Address, path)) { Content = content };
        if (key is not null)
            request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {key}");
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        using var response = await _http.SendAsync(request);
        return await Answer.OfAsync(response);
    }

    /// <summary>Posts a valid order.</summary>
    /// <returns>Its id.</returns>
    protected async Task<Guid> OrderAsync(string key = Alice)
    {
        var answer = await PostAsync(SampleOrder.Text, key);
        Assert.That(answer.Status, Is.EqualTo(202), answer.ToString());
        return Guid.Parse(answer.Body["id"]!.GetValue<string>());
    }

    /// <summary>Opens an address as it is, to read it piece by piece.</summary>
    protected async Task<HttpResponseMessage> OpenAsync(string path, string key = Alice)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(Api.Address, path));
        request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {key}");
        return await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }
}

/// <summary>An answer of the API, read to its end.</summary>
internal sealed record Answer(int Status, string? ContentType, string Text, IReadOnlyDictionary<string, string> Headers)
{
    /// <summary>The body as JSON.</summary>
    public JsonNode Body => JsonNode.Parse(Text) ?? throw new AssertionException($"Expected JSON, found {this}");

    /// <summary>The problem's code; empty when the answer is none.</summary>
    public string Code =>
        ContentType == "application/problem+json"
            ? Body["type"]!.GetValue<string>().Replace("urn:problem:orders:", "", StringComparison.Ordinal)
            : "";

    /// <summary>The fields that something is wrong with.</summary>
    public string[] Pointers => Body["errors"] is JsonObject errors ? [.. errors.Select(e => e.Key)] : [];

    public static async Task<Answer> OfAsync(HttpResponseMessage response) =>
        new(
            (int)response.StatusCode,
            response.Content.Headers.ContentType?.MediaType,
            await response.Content.ReadAsStringAsync(),
            response
                .Headers.Concat(response.Content.Headers)
                .ToDictionary(h => h.Key, h => string.Join(",", h.Value), StringComparer.OrdinalIgnoreCase)
        );

    public override string ToString() => $"{Status} {(HttpStatusCode)Status} {ContentType}: {Text}";
}
