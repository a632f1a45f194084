using Npgsql;

namespace Orders.Producer.Api.Tests.Orders;

/// <summary>
/// An order that was accepted is posted again under its key, when it could not be accepted any more.
/// </summary>
internal sealed class RepeatedPostTests : ApiFixture
{
    private const string Gone = "GONE-1";

    private static string GoneOrder => SampleOrder.With("MUG-BLUE", Gone);

    [Test]
    public async Task The_article_is_no_longer_sold()
    {
        await SellAsync();
        var first = await PostAsync(GoneOrder, idempotencyKey: "withdrawn");
        var batch = await PostBatchAsync(WithKey(GoneOrder, "withdrawn-batch"));
        Assert.That((first.Status, batch.Status(0)), Is.EqualTo((202, 202)));
        await WithdrawAsync();

        var again = await PostAsync(GoneOrder, idempotencyKey: "withdrawn");
        Assert.That((again.Status, again.Text), Is.EqualTo((202, first.Text)), again.ToString());
        Assert.That(again.Headers["Idempotency-Replayed"], Is.EqualTo("true"));

        var unknown = await PostAsync(GoneOrder, idempotencyKey: "unknown");
        Assert.That((unknown.Status, unknown.Code), Is.EqualTo((422, "invalid-order")));
        Assert.That(await Database.CountAsync("posted_keys where key = 'unknown'"), Is.Zero, "rows of a key looked up");
        var other = await PostAsync(
            GoneOrder.Replace("ring twice", "once", StringComparison.Ordinal),
            idempotencyKey: "withdrawn"
        );
        Assert.That((other.Status, other.Code), Is.EqualTo((422, "idempotency-key-reused")));
        var bob = await PostAsync(GoneOrder, Bob, "withdrawn");
        Assert.That((bob.Status, bob.Code), Is.EqualTo((422, "invalid-order")), "another client's key");

        var results = await PostBatchAsync(
            WithKey(GoneOrder, "withdrawn"),
            WithKey(GoneOrder, "withdrawn-batch"),
            WithKey(GoneOrder, "unknown"),
            GoneOrder,
            WithKey(SampleOrder.Text, "withdrawn"),
            WithKey(SampleOrder.Text, "fresh")
        );
        Assert.Multiple(() =>
        {
            Assert.That(
                Enumerable.Range(0, 6).Select(results.Status),
                Is.EqualTo(new[] { 202, 202, 422, 422, 422, 202 }),
                results.Answer.ToString()
            );
            Assert.That(results.Order(0), Is.EqualTo(first.Body["id"]!.GetValue<string>()));
            Assert.That(results.Order(1), Is.EqualTo(batch.Order(0)));
            Assert.That(
                Enumerable.Range(0, 6).Select(results.IsReplayed),
                Is.EqualTo(new[] { true, true, false, false, false, false })
            );
        });
    }

    [Test]
    public async Task Another_process_is_about_to_commit_the_same_key()
    {
        await SellAsync();
        await WithdrawAsync();
        await using var connection = await Database.Source.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using (
            var hold = new NpgsqlCommand(
                "insert into posted_keys (client_id, key, body_hash, order_id) values ('alice', 'held', '\\x00', $1)",
                connection
            )
        )
        {
            hold.Parameters.Add(new() { Value = Guid.NewGuid() });
            await hold.ExecuteNonQueryAsync();
        }

        var results = await PostBatchAsync(WithKey(GoneOrder, "held"), WithKey(GoneOrder, "free"));
        Assert.That((results.Status(0), results.Status(1)), Is.EqualTo((409, 422)), results.Answer.ToString());
        var held = await PostAsync(GoneOrder, idempotencyKey: "held");
        Assert.That((held.Status, held.Code), Is.EqualTo((409, "key-in-flight")), held.ToString());

        await transaction.RollbackAsync();
        Assert.That((await PostAsync(GoneOrder, idempotencyKey: "held")).Status, Is.EqualTo(422));
    }

    [Test]
    public async Task The_catalogue_is_not_loaded()
    {
        var first = await PostAsync(SampleOrder.Text, idempotencyKey: "not-loaded");
        Assert.That(first.Status, Is.EqualTo(202), first.ToString());
        await Database.ExecuteAsync("update step_catalogue set active = false");
        await using var api = await ApiHost.StartAsync(Database.ConnectionString);
        using var http = new HttpClient { BaseAddress = api.Address };
        http.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", $"Bearer {Alice}");

        var known = await SendToAsync(http, "/orders", SampleOrder.Text, "not-loaded");
        Assert.That((known.Status, known.Text), Is.EqualTo((202, first.Text)), known.ToString());
        Assert.That(known.Headers["Idempotency-Replayed"], Is.EqualTo("true"));
        foreach (var key in new[] { "not-loaded-unknown", null })
        {
            var unknown = await SendToAsync(http, "/orders", SampleOrder.Text, key);
            Assert.That((unknown.Status, unknown.Code), Is.EqualTo((503, "unavailable")), unknown.ToString());
            Assert.That(unknown.Headers["Retry-After"], Is.EqualTo("2"));
        }

        var results = new BatchResults(
            await SendToAsync(
                http,
                "/orders/batch",
                Batch(WithKey(SampleOrder.Text, "not-loaded"), WithKey(SampleOrder.Text, "not-loaded-unknown")),
                null
            )
        );
        Assert.That((results.Status(0), results.Status(1)), Is.EqualTo((202, 503)), results.Answer.ToString());
        Assert.That(results.IsReplayed(0), Is.True);
    }

    [TearDown]
    public Task DeployStepsAsync() => Database.ExecuteAsync("update step_catalogue set active = true");

    private async Task SellAsync()
    {
        await Database.ExecuteAsync(
            $"insert into catalogue (sku, name, price_eur, price_usd, price_gbp, vat_rate, sold) values ('{Gone}', 'Gone', 1, 1, 1, 19, true) on conflict (sku) do update set sold = true"
        );
        await UntilAsync(202);
    }

    private async Task WithdrawAsync()
    {
        await Database.ExecuteAsync($"update catalogue set sold = false where sku = '{Gone}'");
        await UntilAsync(422);
    }

    private async Task UntilAsync(int status) =>
        await Eventually.That(
            async () => (await PostAsync(GoneOrder)).Status,
            Is.EqualTo(status),
            "what an order without a key is answered"
        );

    private async Task<BatchResults> PostBatchAsync(params IEnumerable<string> orders) =>
        new(await SendAsync(HttpMethod.Post, "/orders/batch", Alice, Json(Batch(orders))));

    private static string Batch(params IEnumerable<string> orders) => $"{{\"orders\":[{string.Join(',', orders)}]}}";

    private static string WithKey(string order, string key) =>
        $"{{\"idempotencyKey\":\"{key}\",{order.TrimStart()[1..]}";

    private static async Task<Answer> SendToAsync(HttpClient http, string path, string body, string? key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = Json(body) };
        if (key is not null)
            request.Headers.TryAddWithoutValidation("Idempotency-Key", key);
        using var response = await http.SendAsync(request);
        return await Answer.OfAsync(response);
    }

    private sealed record BatchResults(Answer Answer)
    {
        public int Status(int at) => Answer.Body["results"]![at]!["status"]!.GetValue<int>();

        public string? Order(int at) => Answer.Body["results"]![at]!["order"]?["id"]?.GetValue<string>();

        public bool IsReplayed(int at) => Answer.Body["results"]![at]!["replayed"]?.GetValue<bool>() ?? false;
    }
}
