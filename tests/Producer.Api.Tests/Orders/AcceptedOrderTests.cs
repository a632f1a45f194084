using System.Text;
using System.Text.Json.Nodes;

namespace Orders.Producer.Api.Tests.Orders;

internal sealed class AcceptedOrderTests : ApiFixture
{
    private static IEnumerable<TestCaseData> Harmless()
    {
        yield return Case("markup", SampleOrder.WithName("\"<script>alert(1)</script>\""));
        yield return Case("apostrophe", SampleOrder.WithName("\"O'Brien'); DROP TABLE orders;--\""));
        yield return Case("Vietnamese", SampleOrder.WithName("\"Nguyễn Thị Minh Khai\""));
        yield return Case("Chinese", SampleOrder.WithName("\"田中 花子\""));
        yield return Case("Arabic", SampleOrder.WithName("\"محمد \\u200fعلي\""));
        yield return Case("emoji, escaped", SampleOrder.WithName("\"\\ud83d\\ude00\""));
        yield return Case(
            "100 characters outside the basic plane",
            SampleOrder.WithName($"\"{string.Concat(Enumerable.Repeat("😀", 100))}\"")
        );
        yield return Case("template in the notes", SampleOrder.WithNotes("\"{{7*7}}\""));
        yield return Case("formula in the notes", SampleOrder.WithNotes("\"=cmd()\""));
        yield return Case("notes of 500 characters", SampleOrder.WithNotes($"\"{new string('n', 500)}\""));
        yield return Case("no notes", SampleOrder.WithNotes("\"\""));
        yield return Case("quantity above the stock", SampleOrder.WithQuantity("1000"));
        yield return Case("escaped member", SampleOrder.With("\"currency\"", "\"curr\\u0065ncy\""));
        yield return Case(
            "required members only",
            """
            {"shippingAddress":{"country":"DE","postalCode":"20457","city":"Hamburg","line1":"Hafenstr. 1"},"currency":"GBP","lines":[{"quantity":1,"sku":"TEA-GREEN"}],"customer":{"email":"a@b.cd","name":"A"}}
            """
        );
        yield return Case("mail with a plus", SampleOrder.WithMail("\"a.b+c=d@sub-1.example.com\""));
        yield return Case("mail in an international domain", SampleOrder.WithMail("\"zoe@bücher.example\""));
        yield return Case(
            "mail of 254 characters",
            SampleOrder.WithMail(
                $"\"a@{string.Concat(Enumerable.Repeat(new string('b', 49) + ".", 4))}{new string('c', 49)}.de\""
            )
        );
        yield return Case("past release", SampleOrder.WithReleaseAt("\"0001-01-01T00:00:00Z\""));
        yield return Case("nine digits of a second", SampleOrder.WithReleaseAt("\"2026-01-01T00:00:00.123456789Z\""));
        yield return Case("small letters in a moment", SampleOrder.WithReleaseAt("\"2026-01-01t00:00:00z\""));
        yield return Case("no postal code in Hong Kong", In("HK", ""));
        yield return Case("postal code null in the Emirates", In("AE", "\"postalCode\":null,"));
        yield return Case("postal code empty in Panama", In("PA", "\"postalCode\":\"\","));
        yield return Case("postal code in Qatar all the same", In("QA", "\"postalCode\":\"0000\","));
        yield return Case("Kosovo", In("XK", "\"postalCode\":\"10000\","));

        static TestCaseData Case(string name, string body) => new TestCaseData(body).SetArgDisplayNames(name);

        static string In(string country, string postalCode) =>
            SampleOrder.With("\"postalCode\":\"20457\",\"country\":\"DE\"", $"{postalCode}\"country\":\"{country}\"");
    }

    [TestCase(null, "en")]
    [TestCase("null", "en")]
    [TestCase("\"en\"", "en")]
    [TestCase("\"de\"", "de")]
    [TestCase("\"de-CH\"", "de-CH")]
    public async Task The_locale_of_the_customer_is_kept_and_is_English_unless_it_is_sent(string? sent, string kept)
    {
        var answer = await PostAsync(sent is null ? SampleOrder.Text : SampleOrder.WithLocale(sent));

        Assert.That(answer.Status, Is.EqualTo(202), answer.ToString());
        var customer = (await GetAsync(answer.Headers["Location"])).Body["customer"]!;
        Assert.That(customer["locale"]!.GetValue<string>(), Is.EqualTo(kept));
    }

    [Test]
    public async Task A_line_keeps_the_rate_that_its_article_had()
    {
        var answer = await PostAsync(
            SampleOrder.WithLines("""[{"sku":"MUG-BLUE","quantity":1},{"sku":"TEA-GREEN","quantity":1}]""")
        );

        var lines = (await GetAsync(answer.Headers["Location"])).Body["lines"]!.AsArray();
        Assert.That(lines.Select(l => l!["vatRate"]!.GetValue<decimal>()), Is.EqualTo(new[] { 19m, 7m }));
    }

    [TestCaseSource(nameof(Harmless))]
    public async Task An_unusual_order_is_accepted_and_kept_as_it_is(string body)
    {
        var answer = await PostAsync(body);
        Assert.That(answer.Status, Is.EqualTo(202), answer.ToString());
        var stored = (await GetAsync(answer.Headers["Location"])).Body;
        var sent = JsonNode.Parse(body)!;
        Assert.Multiple(() =>
        {
            Assert.That(
                stored["customer"]!["name"]!.GetValue<string>(),
                Is.EqualTo(sent["customer"]!["name"]!.GetValue<string>())
            );
            Assert.That(
                stored["customer"]!["email"]!.GetValue<string>(),
                Is.EqualTo(sent["customer"]!["email"]!.GetValue<string>())
            );
            Assert.That(stored["status"]!.GetValue<string>(), Is.EqualTo("Accepted"));
        });
        Assert.That(
            await Database.ScalarAsync<string>(
                "select coalesce(notes, '') from orders where id = $1",
                Guid.Parse(stored["id"]!.GetValue<string>())
            ),
            Is.EqualTo(sent["notes"]?.GetValue<string>() ?? "")
        );
    }

    [Test]
    public async Task The_answer_holds_the_order_and_where_it_is()
    {
        var answer = await PostAsync(
            SampleOrder.WithLines("""[{"sku":"MUG-BLUE","quantity":2},{"sku":"TEA-GREEN","quantity":3}]""")
        );
        var body = answer.Body.AsObject();
        var id = Guid.Parse(body["id"]!.GetValue<string>());
        Assert.Multiple(() =>
        {
            Assert.That(answer.Status, Is.EqualTo(202));
            Assert.That(answer.ContentType, Is.EqualTo("application/json"));
            Assert.That(answer.Headers["Location"], Is.EqualTo($"/orders/{id}"));
            Assert.That(
                body.Select(m => m.Key),
                Is.EqualTo(new[] { "id", "number", "status", "total", "currency", "createdAt" })
            );
            Assert.That(body["number"]!.GetValue<string>(), Does.Match("^O-[0-9]{8}$"));
            Assert.That(body["total"]!.ToJsonString(), Is.EqualTo("32.55"));
            Assert.That(answer.Headers, Does.Not.ContainKey("Server"));
        });
        Assert.That(
            await Database.CountAsync("outbox where correlation_id = $1", id.ToString()),
            Is.EqualTo(1),
            "messages of the order"
        );
    }

    [Test]
    public async Task An_order_shows_its_lines_and_its_steps()
    {
        var id = await OrderAsync();
        await Database.ExecuteAsync(
            "insert into step_runs (subject_id, step, status, attempts, started_at, next_attempt_at, last_fault) values ($1, 'email', 3, 2, now(), now(), 'MailNotSentException: The mail server smtp.internal:2525 could not be reached (10.0.0.7)')",
            id
        );
        var order = (await GetAsync($"/orders/{id}")).Body;
        Assert.Multiple(() =>
        {
            Assert.That(
                order["lines"]![0]!.ToJsonString(),
                Is.EqualTo(
                    """{"sku":"MUG-BLUE","name":"Mug, blue","quantity":2,"unitPrice":9.90,"total":19.80,"vatRate":19.00}"""
                )
            );
            Assert.That(
                order["steps"]!.AsArray().Select(s => $"{s!["step"]} {s["status"]} {s["attempts"]}"),
                Is.EqualTo(
                    new[] { "email Retrying 2", "inventory Waiting 0", "invoice Waiting 0", "warehouse Waiting 0" }
                )
            );
            Assert.That(order["steps"]![0]!["lastFaultCode"]!.GetValue<string>(), Is.EqualTo("unavailable"));
            Assert.That(order["steps"]![0]!["nextAttemptAt"], Is.Not.Null);
            Assert.That(order["invoice"], Is.Null);
            Assert.That(order["completedAt"], Is.Null);
        });
    }

    [Test]
    public async Task Steps_that_a_rejected_order_no_longer_needs_are_skipped()
    {
        var id = await OrderAsync();
        await Database.ExecuteAsync("update order_progress set rejected_at = now() where order_id = $1", id);
        var order = (await GetAsync($"/orders/{id}")).Body;
        Assert.That(
            (order["status"]!.GetValue<string>(), order["steps"]![2]!["status"]!.GetValue<string>()),
            Is.EqualTo(("Rejected", "Skipped"))
        );
    }

    [Test]
    public async Task A_released_order_waits_in_the_outbox()
    {
        var at = DateTimeOffset.UtcNow.AddDays(89);
        var answer = await PostAsync(SampleOrder.WithReleaseAt($"\"{at:yyyy-MM-ddTHH:mm:ss}+00:00\""));
        Assert.That(answer.Status, Is.EqualTo(202), answer.ToString());
        var due = await Database.ScalarAsync<DateTime>(
            "select due_at from outbox where correlation_id = $1",
            answer.Body["id"]!.GetValue<string>()
        );
        Assert.That(due, Is.EqualTo(at.UtcDateTime).Within(TimeSpan.FromSeconds(1)));
    }

    [Test]
    public async Task Another_clients_order_does_not_exist()
    {
        var id = await OrderAsync();
        foreach (var path in new[] { $"/orders/{id}", $"/orders/{id}/invoice.pdf", $"/orders/{id}/events" })
        {
            var foreign = await GetAsync(path, Bob);
            var missing = await GetAsync(
                path.Replace(id.ToString(), Guid.CreateVersion7().ToString(), StringComparison.Ordinal),
                Bob
            );
            Assert.That(
                (foreign.Status, foreign.Code, missing.Status, missing.Code),
                Is.EqualTo((404, "order-not-found", 404, "order-not-found")),
                path
            );
        }
    }

    [Test]
    public async Task An_invoice_is_handed_out_once_it_is_rendered()
    {
        var id = await OrderAsync();
        Assert.That(
            (await GetAsync($"/orders/{id}/invoice.pdf")).Body["detail"]!.GetValue<string>(),
            Does.Contain("not issued a number")
        );
        await Database.ExecuteAsync("insert into invoices (order_id, number, snapshot) values ($1, 42, '{}')", id);
        Assert.That(
            (await GetAsync($"/orders/{id}/invoice.pdf")).Body["detail"]!.GetValue<string>(),
            Does.Contain("not rendered")
        );
        Assert.That((await GetAsync($"/orders/{id}")).Body["invoice"], Is.Null);

        await Database.ExecuteAsync(
            "update invoices set pdf = $2, sha256 = sha256($2) where order_id = $1",
            id,
            Encoding.ASCII.GetBytes("%PDF-1.7 x")
        );
        var pdf = await GetAsync($"/orders/{id}/invoice.pdf");
        var invoice = (await GetAsync($"/orders/{id}")).Body["invoice"]!;
        var again = await SendAsync(
            HttpMethod.Get,
            $"/orders/{id}/invoice.pdf",
            Alice,
            null,
            ("If-None-Match", pdf.Headers["ETag"])
        );
        Assert.Multiple(() =>
        {
            Assert.That((pdf.Status, pdf.ContentType, pdf.Text), Is.EqualTo((200, "application/pdf", "%PDF-1.7 x")));
            Assert.That(pdf.Headers["ETag"], Is.EqualTo($"\"{invoice["sha256"]!.GetValue<string>()}\""));
            Assert.That(pdf.Headers["Content-Disposition"], Is.EqualTo("inline; filename=\"INV-00000042.pdf\""));
            Assert.That(invoice["number"]!.GetValue<string>(), Is.EqualTo("INV-00000042"));
            Assert.That(invoice["url"]!.GetValue<string>(), Is.EqualTo($"/orders/{id}/invoice.pdf"));
            Assert.That((again.Status, again.Text), Is.EqualTo((304, "")));
        });
    }

    [Test]
    public async Task The_catalogue_shows_prices_and_stock()
    {
        var catalogue = (await GetAsync("/catalogue")).Body.AsArray();
        Assert.That(
            catalogue.Select(a => a!["sku"]!.GetValue<string>()),
            Is.EqualTo(new[] { "LAMP-OLD", "MUG-BLUE", "TEA-GREEN" })
        );
        Assert.That(
            catalogue[1]!.ToJsonString(),
            Is.EqualTo(
                """{"sku":"MUG-BLUE","name":"Mug, blue","prices":{"EUR":9.90,"USD":10.90,"GBP":8.50},"vatRate":19.00,"onHand":7,"sold":true}"""
            )
        );
    }

    [Test]
    public async Task A_change_of_price_counts_for_orders_within_seconds()
    {
        await Database.ExecuteAsync(
            "insert into catalogue (sku, name, price_eur, price_usd, price_gbp, vat_rate, sold) values ('NEW-1', 'New', 1.10, 1, 1, 19, true)"
        );
        var answer = await Eventually.That(
            () => PostAsync(SampleOrder.With("MUG-BLUE", "NEW-1")),
            Has.Property("Status").EqualTo(202),
            "posting the new article"
        );
        Assert.That(answer.Body["total"]!.ToJsonString(), Is.EqualTo("2.20"));
        await Database.ExecuteAsync("delete from catalogue where sku = 'NEW-1'");
    }
}
