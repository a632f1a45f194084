using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Orders.Producer.Api.Tests.Orders;

internal sealed class IdempotencyKeyTests : ApiFixture
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    [Test]
    public async Task The_same_key_and_body_again_give_the_same_order()
    {
        var first = await PostAsync(SampleOrder.Text, idempotencyKey: "same-key-1");
        var second = await PostAsync(SampleOrder.Text, idempotencyKey: "same-key-1");
        Assert.Multiple(() =>
        {
            Assert.That((first.Status, second.Status), Is.EqualTo((202, 202)));
            Assert.That(second.Text, Is.EqualTo(first.Text));
            Assert.That(second.Headers["Location"], Is.EqualTo(first.Headers["Location"]));
            Assert.That(first.Headers, Does.Not.ContainKey("Idempotency-Replayed"));
            Assert.That(second.Headers["Idempotency-Replayed"], Is.EqualTo("true"));
        });
    }

    [Test]
    public async Task A_replay_shows_where_the_order_stands_now()
    {
        var first = await PostAsync(SampleOrder.Text, idempotencyKey: "same-key-2");
        await Database.ExecuteAsync(
            "update order_progress set done = 1 where order_id = $1",
            Guid.Parse(first.Body["id"]!.GetValue<string>())
        );
        Assert.That(
            (await PostAsync(SampleOrder.Text, idempotencyKey: "same-key-2")).Body["status"]!.GetValue<string>(),
            Is.EqualTo("Processing")
        );
    }

    [Test]
    public async Task Fifty_at_once_with_one_key_make_one_order()
    {
        var answers = await Task.WhenAll(
            Enumerable
                .Range(0, 50)
                .Select(_ => PostAsync(SampleOrder.WithNotes("\"fifty\""), idempotencyKey: "fifty-at-once"))
        );
        Assert.Multiple(() =>
        {
            Assert.That(answers.Select(a => a.Status), Is.All.EqualTo(202).Or.EqualTo(409));
            Assert.That(answers.Where(a => a.Status == 409).Select(a => a.Code), Is.All.EqualTo("key-in-flight"));
            Assert.That(answers.Where(a => a.Status == 409).Select(a => a.Headers["Retry-After"]), Is.All.EqualTo("1"));
            Assert.That(
                answers.Where(a => a.Status == 202).Select(a => a.Body["id"]!.GetValue<string>()).Distinct().Count(),
                Is.EqualTo(1)
            );
        });
        Assert.That(await Database.CountAsync("orders where notes = 'fifty'"), Is.EqualTo(1), "orders of the key");
    }

    [Test]
    public async Task Fifty_at_once_over_two_processes_make_one_order()
    {
        await using var second = await ApiHost.StartAsync(Database.ConnectionString);
        using var http = new HttpClient();
        await Eventually.That(
            async () => (int)(await http.GetAsync(new Uri(second.Address, "/health/ready"))).StatusCode,
            Is.EqualTo(200),
            "the second process"
        );
        var answers = await Task.WhenAll(
            Enumerable
                .Range(0, 50)
                .Select(async i =>
                {
                    using var request = new HttpRequestMessage(
                        HttpMethod.Post,
                        new Uri(i % 2 == 0 ? Api.Address : second.Address, "/orders")
                    )
                    {
                        Content = Json(SampleOrder.WithNotes("\"two\"")),
                    };
                    request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {Alice}");
                    request.Headers.TryAddWithoutValidation("Idempotency-Key", "two-processes");
                    using var response = await http.SendAsync(request);
                    return await Answer.OfAsync(response);
                })
        );
        Assert.That(answers.Select(a => a.Status), Is.All.EqualTo(202).Or.EqualTo(409));
        Assert.That(await Database.CountAsync("orders where notes = 'two'"), Is.EqualTo(1), "orders of the key");
    }

    [Test]
    public async Task Another_body_with_a_used_key_is_refused()
    {
        await PostAsync(SampleOrder.Text, idempotencyKey: "used-key");
        var answer = await PostAsync(SampleOrder.WithQuantity("3"), idempotencyKey: "used-key");
        Assert.That((answer.Status, answer.Code), Is.EqualTo((422, "idempotency-key-reused")));
    }

    [Test]
    public async Task Keys_of_different_clients_never_meet()
    {
        var alice = await PostAsync(SampleOrder.Text, Alice, "shared-name");
        var bob = await PostAsync(SampleOrder.Text, Bob, "shared-name");
        Assert.That((bob.Status, bob.Headers.ContainsKey("Idempotency-Replayed")), Is.EqualTo((202, false)));
        Assert.That(bob.Body["id"]!.GetValue<string>(), Is.Not.EqualTo(alice.Body["id"]!.GetValue<string>()));
    }

    [Test]
    public async Task A_refused_order_does_not_use_the_key_up()
    {
        Assert.That(
            (await PostAsync(SampleOrder.WithQuantity("0"), idempotencyKey: "second-try")).Status,
            Is.EqualTo(422)
        );
        Assert.That((await PostAsync(SampleOrder.Text, idempotencyKey: "second-try")).Status, Is.EqualTo(202));
    }

    [TestCase("")]
    [TestCase("with blank")]
    [TestCase("one,two")]
    [TestCase("quote\"")]
    [TestCase("\"\"")]
    [TestCase("\"open")]
    [TestCase("\"open\\\"")]
    [TestCase("\"open\\")]
    [TestCase("\"one\", \"two\"")]
    [TestCase("\"with\";parameter=1")]
    [TestCase("\"unknown \\escape\"")]
    public async Task A_key_that_is_none_is_refused(string key)
    {
        var answer = await PostAsync(SampleOrder.Text, idempotencyKey: key);
        Assert.That((answer.Status, answer.Code), Is.EqualTo((400, "invalid-idempotency-key")));
    }

    [TestCase("k")]
    [TestCase("slash/slash?a=b;c")]
    [TestCase("\"with blank, comma\"")]
    [TestCase("\" \"")]
    [TestCase("\"3d3f1c9e-0d5c-4a53-9d0e-1f2f8a0b7c11\"")]
    public async Task A_key_of_printable_characters_is_taken_and_found_again(string key)
    {
        var first = await PostAsync(SampleOrder.Text, idempotencyKey: key);
        var second = await PostAsync(SampleOrder.Text, idempotencyKey: key);
        Assert.That(first.Status, Is.EqualTo(202), first.ToString());
        AssertReplayed(second, first);
    }

    [TestCase("in-quotes-or-not", "\"in-quotes-or-not\"")]
    [TestCase("back\\slash", "\"back\\\\slash\"")]
    public async Task A_key_is_the_same_in_quotes_and_without(string bare, string quoted)
    {
        var first = await PostAsync(SampleOrder.Text, idempotencyKey: bare);
        AssertReplayed(await PostAsync(SampleOrder.Text, idempotencyKey: quoted), first);
    }

    [Test]
    public async Task An_escaped_quote_is_a_part_of_the_key()
    {
        await PostAsync(SampleOrder.Text, idempotencyKey: "\"say \\\"hi\\\"\"");
        Assert.That(
            await Database.CountAsync("posted_keys where key = 'say \"hi\"'"),
            Is.EqualTo(1),
            "rows of the key"
        );
    }

    [TestCase(255, 202)]
    [TestCase(256, 400)]
    public async Task A_key_has_at_most_255_characters(int length, int status)
    {
        var bare = await PostAsync(SampleOrder.Text, idempotencyKey: new string('k', length));
        var escaped = await PostAsync(
            SampleOrder.Text,
            idempotencyKey: $"\"{string.Concat(Enumerable.Repeat("\\\"", length))}\""
        );
        Assert.That((bare.Status, escaped.Status), Is.EqualTo((status, status)));
    }

    [Test]
    public async Task The_order_of_members_and_the_spelling_of_json_do_not_make_another_body()
    {
        var first = await PostAsync(SampleOrder.Text, idempotencyKey: "same-body");
        foreach (
            var body in new[]
            {
                JsonNode.Parse(SampleOrder.Text)!.ToJsonString(Indented),
                Reversed(JsonNode.Parse(SampleOrder.Text)!).ToJsonString(),
                SampleOrder.With("\"currency\"", "\"curr\\u0065ncy\""),
                SampleOrder.WithName("\"Zo\\u00eb M\\u00FCller\""),
                SampleOrder.With(",\"releaseAt\":null", ""),
                SampleOrder.With("\"premium\":false,", ""),
                SampleOrder.WithLocale("\"en\""),
            }
        )
            AssertReplayed(await PostAsync(body, idempotencyKey: "same-body"), first);
    }

    [Test]
    public async Task Any_other_value_makes_another_body()
    {
        var sample = SampleOrder.WithLines("""[{"sku":"MUG-BLUE","quantity":2},{"sku":"TEA-GREEN","quantity":3}]""");
        var release = $"\"{DateTimeOffset.UtcNow.AddDays(1):yyyy-MM-ddTHH:mm:ssZ}\"";
        Assert.That((await PostAsync(sample, idempotencyKey: "other-body")).Status, Is.EqualTo(202));
        foreach (
            var (piece, other) in new[]
            {
                ("Zoë Müller", "Zoe Müller"),
                ("zoe@example.com", "zoë@example.com"),
                ("zoe@example.com", "Zoe@example.com"),
                ("MUG-BLUE", "MUG-RED"),
                ("\"quantity\":2", "\"quantity\":1"),
                ("{\"sku\":\"MUG-BLUE\",\"quantity\":2},", ""),
                (
                    "\"quantity\":2},{\"sku\":\"TEA-GREEN\",\"quantity\":3}",
                    "\"quantity\":3},{\"sku\":\"TEA-GREEN\",\"quantity\":2}"
                ),
                ("EUR", "USD"),
                ("Hafenstr. 1", "Hafenstr. 11"),
                ("Hamburg", "Homburg"),
                ("20457", "20458"),
                ("\"DE\"", "\"AT\""),
                ("\"premium\":false", "\"premium\":true"),
                ("\"zoe@example.com\"", "\"zoe@example.com\",\"locale\":\"de\""),
                ("\"ring twice\"", "null"),
                ("\"ring twice\"", "\"\""),
                ("\"releaseAt\":null", $"\"releaseAt\":{release}"),
            }
        )
        {
            var body = sample.Replace(piece, other, StringComparison.Ordinal);
            Assert.That(body, Is.Not.EqualTo(sample), piece);
            var answer = await PostAsync(body, idempotencyKey: "other-body");
            Assert.That((answer.Status, answer.Code), Is.EqualTo((422, "idempotency-key-reused")), body);
        }
    }

    [Test]
    public async Task A_key_that_an_earlier_build_stored_is_found()
    {
        var first = await PostAsync(SampleOrder.Text, idempotencyKey: "earlier-build");
        await Database.ExecuteAsync(
            "update posted_keys set body_hash = sha256($1) where key = 'earlier-build'",
            Encoding.UTF8.GetBytes(SampleOrder.Text)
        );
        AssertReplayed(await PostAsync(SampleOrder.Text, idempotencyKey: "earlier-build"), first);
        var other = await PostAsync(SampleOrder.WithQuantity("3"), idempotencyKey: "earlier-build");
        Assert.That((other.Status, other.Code), Is.EqualTo((422, "idempotency-key-reused")));
    }

    private static void AssertReplayed(Answer answer, Answer first)
    {
        Assert.That(answer.Status, Is.EqualTo(202), answer.ToString());
        Assert.That(answer.Text, Is.EqualTo(first.Text));
        Assert.That(answer.Headers["Idempotency-Replayed"], Is.EqualTo("true"));
    }

    private static JsonNode Reversed(JsonNode node) =>
        node is JsonObject members
            ? new JsonObject(
                members.Reverse().Select(m => KeyValuePair.Create(m.Key, m.Value is null ? null : Reversed(m.Value)))
            )
            : node.DeepClone();

    [Test]
    public async Task Two_keys_are_refused()
    {
        using var connection = await RawConnection.OpenAsync(Api.Address);
        await connection.WriteAsync(
            $"POST /orders HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {Alice}\r\nContent-Type: application/json\r\nIdempotency-Key: aaaaaaaa\r\nIdempotency-Key: bbbbbbbb\r\nContent-Length: 2\r\n\r\n{{}}"
        );
        Assert.That(
            await connection.ReadAsync(),
            Does.StartWith("HTTP/1.1 400").And.Contains("invalid-idempotency-key")
        );
    }
}
