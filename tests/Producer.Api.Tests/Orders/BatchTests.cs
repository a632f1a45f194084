using System.Text.Json.Nodes;

namespace Orders.Producer.Api.Tests.Orders;

internal sealed class BatchTests : ApiFixture
{
    private static string Batch(params IEnumerable<string> orders) => $"{{\"orders\":[{string.Join(',', orders)}]}}";

    private Task<Answer> PostBatchAsync(string body, params IEnumerable<(string Name, string Value)> headers) =>
        SendAsync(HttpMethod.Post, "/orders/batch", Alice, Json(body), headers);

    [Test]
    public async Task Each_order_stands_for_itself()
    {
        var answer = await PostBatchAsync(
            Batch(
                SampleOrder.Text,
                "{}",
                SampleOrder.WithQuantity("0"),
                "null",
                SampleOrder.WithNotes($"\"{new string(' ', 70_000)}\""),
                SampleOrder.Text
            )
        );
        var results = answer.Body["results"]!.AsArray();
        Assert.Multiple(() =>
        {
            Assert.That(answer.Status, Is.EqualTo(200));
            Assert.That(
                results.Select(r => r!["status"]!.GetValue<int>()),
                Is.EqualTo(new[] { 202, 400, 422, 400, 413, 202 })
            );
            Assert.That(results[0]!["order"]!["number"]!.GetValue<string>(), Does.StartWith("O-"));
            Assert.That(
                results[2]!["problem"]!["errors"]!.AsObject().Select(e => e.Key),
                Is.EqualTo(new[] { "/lines/0/quantity" })
            );
        });
        foreach (var result in results.Where(r => r!["status"]!.GetValue<int>() == 202))
            Assert.That((await GetAsync($"/orders/{result!["order"]!["id"]}")).Status, Is.EqualTo(200));
    }

    [Test]
    public async Task Five_hundred_orders_are_taken_and_answered_in_their_order()
    {
        var before = await Database.CountAsync("orders");
        var answer = await PostBatchAsync(
            Batch(Enumerable.Range(1, 500).Select(i => SampleOrder.WithQuantity($"{i}")))
        );
        var totals = answer.Body["results"]!.AsArray().Select(r => r!["order"]!["total"]!.GetValue<decimal>());
        Assert.That(totals, Is.EqualTo(Enumerable.Range(1, 500).Select(i => i * 9.90m)));
        Assert.That(await Database.CountAsync("orders") - before, Is.EqualTo(500));
    }

    [TestCase("{}", "/orders")]
    [TestCase("""{"orders":[]}""", "/orders")]
    [TestCase("""{"orders":{}}""", "/orders")]
    [TestCase("""{"Orders":[]}""", "/orders")]
    [TestCase("""{"orders":[{}],"orders":[{}]}""", "/orders")]
    [TestCase("""{"orders":[{}],"mode":"fast"}""", "")]
    [TestCase("""{"orders":[{},]}""", "")]
    [TestCase("""{"orders":[[[[[[[[[[[1]]]]]]]]]]]}""", "")]
    [TestCase("[]", "")]
    public async Task A_batch_of_another_shape_is_refused_as_a_whole(string body, string pointer)
    {
        var answer = await PostBatchAsync(body);
        Assert.That(
            (answer.Status, answer.Code, answer.Pointers.FirstOrDefault()),
            Is.EqualTo((400, "malformed-body", pointer)),
            answer.ToString()
        );
    }

    [Test]
    public async Task More_than_five_hundred_orders_are_refused()
    {
        var answer = await PostBatchAsync(Batch(Enumerable.Repeat("{}", 501)));
        Assert.That((answer.Status, string.Join(' ', answer.Pointers)), Is.EqualTo((400, "/orders")));
    }

    [Test]
    public async Task Each_order_may_have_a_key_of_its_own()
    {
        var keyed = SampleOrder.With("{\"customer\"", "{\"idempotencyKey\":\"item 1\",\"customer\"");
        var alone = await PostAsync(SampleOrder.Text, idempotencyKey: "\"item 1\"");
        var results = (
            await PostBatchAsync(
                Batch(
                    keyed,
                    keyed.Replace("item 1", "item 2", StringComparison.Ordinal),
                    keyed.Replace("item 1", "item 2", StringComparison.Ordinal),
                    keyed.Replace("item 1", "", StringComparison.Ordinal),
                    keyed.Replace("item 1", "ü", StringComparison.Ordinal),
                    keyed.Replace("\"item 1\"", "null", StringComparison.Ordinal),
                    keyed.Replace("\"item 1\"", "1", StringComparison.Ordinal)
                )
            )
        ).Body["results"]!.AsArray();
        Assert.Multiple(() =>
        {
            Assert.That(
                results.Select(r => r!["status"]!.GetValue<int>()),
                Is.EqualTo(new[] { 202, 202, 409, 400, 400, 202, 400 })
            );
            Assert.That(
                results[0]!["order"]!["id"]!.GetValue<string>(),
                Is.EqualTo(alone.Body["id"]!.GetValue<string>())
            );
            Assert.That(results[0]!["replayed"]!.GetValue<bool>(), Is.True);
            Assert.That(results[1]!["replayed"], Is.Null);
            Assert.That(results[3]!["problem"]!["type"]!.GetValue<string>(), Does.EndWith("invalid-idempotency-key"));
        });
    }

    [Test]
    public async Task An_unexpected_fault_of_one_order_leaves_the_answers_of_the_others()
    {
        await Database.ExecuteAsync(
            """
            create function break_order() returns trigger language plpgsql as
                $$ begin raise 'broken' using errcode = '22000'; end $$;
            create trigger breaks_order before insert on orders
                for each row when (new.notes = 'break') execute function break_order()
            """
        );
        var answer = await PostBatchAsync(
            Batch(SampleOrder.Text, SampleOrder.WithNotes("\"break\""), SampleOrder.Text)
        );
        Assert.That(answer.Status, Is.EqualTo(200), answer.ToString());
        var results = answer.Body["results"]!.AsArray();
        Assert.That(results.Select(r => r!["status"]!.GetValue<int>()), Is.EqualTo(new[] { 202, 500, 202 }));
        Assert.That(results[1]!["problem"]!["type"]!.GetValue<string>(), Does.EndWith("internal-error"));
        Assert.That(answer.Text, Does.Not.Contain("broken"), "what the database said");
    }

    // Between the look at the key and the look at its order: a key without an order is that moment.
    [Test]
    public async Task A_key_that_is_purged_while_it_is_looked_up_is_one_orders_matter()
    {
        await Database.ExecuteAsync(
            "insert into posted_keys (client_id, key, body_hash, order_id) values ('alice', 'purged', '', gen_random_uuid())"
        );
        var answer = await PostBatchAsync(
            Batch(
                SampleOrder.With("{\"customer\"", "{\"idempotencyKey\":\"purged\",\"customer\""),
                SampleOrder.With("{\"customer\"", "{\"idempotencyKey\":\"fresh\",\"customer\"")
            )
        );
        Assert.That(answer.Status, Is.EqualTo(200), answer.ToString());
        Assert.That(
            answer.Body["results"]!.AsArray().Select(r => r!["status"]!.GetValue<int>()),
            Is.EqualTo(new[] { 409, 202 })
        );
    }

    [Test]
    public async Task The_header_of_a_batch_takes_no_key()
    {
        var answer = await PostBatchAsync(Batch(SampleOrder.Text), ("Idempotency-Key", "batch-key"));
        Assert.That((answer.Status, answer.Code), Is.EqualTo((400, "invalid-idempotency-key")));
    }

    [Test]
    public async Task A_batch_has_at_most_four_mebibytes()
    {
        var answer = await PostBatchAsync(Batch(SampleOrder.Text).PadRight((4 << 20) + 1));
        Assert.That((answer.Status, answer.Code), Is.EqualTo((413, "body-too-large")));
    }

    [Test]
    public async Task An_order_of_a_batch_may_be_as_deep_as_one_alone()
    {
        var results = (await PostBatchAsync(Batch(SampleOrder.WithNotes("[[[[[[[1]]]]]]]")))).Body[
            "results"
        ]!.AsArray();
        Assert.That(
            ((JsonObject)results[0]!["problem"]!["errors"]!).Select(e => e.Key),
            Is.EqualTo(new[] { "/notes" })
        );
    }
}
