using System.Text.Json.Nodes;
using Npgsql;
using Orders.Infrastructure.Webhooks;
using QueueWorkers.Steps;

namespace Orders.Producer.Api.Tests.Webhooks;

internal sealed class WebhookTests : ApiFixture
{
    private const string Managed = "ok_AliceManagesHooksAliceManagesHooksAliceMana";
    private const string BobManages = "ok_BobManagesHooksBobManagesHooksBobManagesHoo";

    [OneTimeSetUp]
    public async Task AddKeys()
    {
        await AddKeyAsync("alice", Managed, "webhooks:write", "orders:read");
        await AddKeyAsync("bob", BobManages, "webhooks:write", "orders:read");
    }

    [SetUp]
    public Task Clear() => Database.ExecuteAsync("delete from webhook_deliveries; delete from webhooks");

    [Test]
    public async Task A_web_hook_is_registered_and_its_secret_is_shown_once()
    {
        var added = await AddAsync("""{ "url": "https://shop.example/events", "events": ["order.cancelled"] }""");
        Assert.That(added.Status, Is.EqualTo(201), added.ToString());
        var id = added.Body["id"]!.GetValue<Guid>();
        var secret = added.Body["secret"]!.GetValue<string>();
        Assert.That(added.Headers["Location"], Is.EqualTo($"/webhooks/{id}"));
        Assert.That(secret, Does.Match("^whsec_[A-Za-z0-9+/]{43}=$"));
        Assert.That(
            await Database.ScalarAsync<byte[]>("select secret from webhooks where id = $1", id),
            Is.EqualTo(Convert.FromBase64String(secret["whsec_".Length..])),
            "the stored secret"
        );

        var found = await GetAsync($"/webhooks/{id}", Managed);
        Assert.That(found.Body["url"]!.GetValue<string>(), Is.EqualTo("https://shop.example/events"));
        Assert.That(
            found.Body["events"]!.AsArray().Select(e => e!.GetValue<string>()),
            Is.EqualTo(["order.cancelled"])
        );
        var list = await GetAsync("/webhooks", Managed);
        Assert.That(list.Body.AsArray(), Has.Count.EqualTo(1));
        foreach (var later in new[] { found, list })
            Assert.That(later.Text, Does.Not.Contain("whsec_").And.Not.Contain("\"secret\""));
    }

    [Test]
    public async Task Without_events_it_is_told_of_all()
    {
        var added = await AddAsync("""{ "url": "https://shop.example/all" }""");
        Assert.That(added.Body["events"]!.AsArray().Select(e => e!.GetValue<string>()), Is.EqualTo(WebhookEvents.All));
    }

    [TestCase("http://shop.example/")]
    [TestCase("ftp://shop.example/")]
    [TestCase("https://user:pass@shop.example/")]
    [TestCase("https://shop.example/#part")]
    [TestCase("/events")]
    [TestCase("https://")]
    [TestCase("https://127.0.0.1/")]
    [TestCase("https://0x7f.1/")]
    [TestCase("https://[::1]/")]
    [TestCase("https://[::ffff:10.0.0.1]/")]
    [TestCase("https://169.254.169.254/latest/meta-data/")]
    [TestCase("https://localhost/")]
    [TestCase("https://api.localhost:8443/")]
    public async Task An_address_that_nobody_may_make_us_call_is_refused(string url)
    {
        var answer = await AddAsync(new JsonObject { ["url"] = url }.ToJsonString());
        Assert.That((answer.Status, answer.Code), Is.EqualTo((422, "invalid-webhook")), answer.ToString());
        Assert.That(answer.Pointers, Is.EqualTo(["/url"]));
    }

    [TestCase("""{ "url": "https://shop.example/", "events": [] }""", 422, "/events")]
    [TestCase("""{ "url": "https://shop.example/", "events": ["order.sold"] }""", 422, "/events")]
    [TestCase("""{ "url": "https://shop.example/", "events": ["webhook.test"] }""", 422, "/events")]
    [TestCase("""{ "url": "https://shop.example/", "events": "order.completed" }""", 400, "/events")]
    [TestCase("""{ "url": 7 }""", 400, "/url")]
    [TestCase("""{ "events": ["order.completed"] }""", 400, "/url")]
    [TestCase("""{ "url": "https://shop.example/", "secret": "mine" }""", 400, "")]
    public async Task What_is_no_web_hook_is_refused_with_the_place(string body, int status, string pointer)
    {
        var answer = await AddAsync(body);
        Assert.That(answer.Status, Is.EqualTo(status), answer.ToString());
        Assert.That(answer.Pointers, Is.EqualTo([pointer]));
    }

    [Test]
    public async Task The_same_address_twice_is_a_conflict_and_so_is_the_eleventh()
    {
        for (var i = 0; i < WebhookRegistry.MostOfClient; i++)
            Assert.That((await AddAsync($$"""{ "url": "https://shop.example/{{i}}" }""")).Status, Is.EqualTo(201));
        Assert.That((await AddAsync("""{ "url": "https://shop.example/3" }""")).Code, Is.EqualTo("webhook-exists"));
        Assert.That((await AddAsync("""{ "url": "https://shop.example/x" }""")).Code, Is.EqualTo("too-many-webhooks"));
        Assert.That((await AddAsync("""{ "url": "https://shop.example/3" }""", BobManages)).Status, Is.EqualTo(201));
    }

    [Test]
    public async Task An_address_counts_as_it_is_stored_and_called()
    {
        // Each of these letters takes nine characters in an address.
        var answer = await AddAsync($$"""{ "url": "https://shop.example/{{new string('語', 300)}}" }""");
        Assert.That((answer.Status, answer.Code), Is.EqualTo((422, "invalid-webhook")), answer.ToString());
        Assert.That(answer.Pointers, Is.EqualTo(["/url"]));
    }

    [Test]
    public async Task Of_many_registrations_at_the_same_time_ten_succeed()
    {
        // A busy machine takes longer for twelve than anybody may wait for a lock.
        await RestartApiAsync(
            (
                "ConnectionStrings:Postgres",
                new NpgsqlConnectionStringBuilder(Database.ConnectionString)
                {
                    Options = "-c lock_timeout=1min",
                }.ConnectionString
            )
        );
        // Holds up whoever has counted, until all are there.
        await Database.ExecuteAsync(
            """
            create function hold_up() returns trigger language plpgsql as
                $do$ begin perform pg_advisory_xact_lock_shared(7); return new; end $do$;
            create trigger holds_up before insert on webhooks for each row execute function hold_up()
            """
        );
        await using var holding = await Database.Source.OpenConnectionAsync();
        await using var hold = new NpgsqlCommand("select pg_advisory_lock(7)", holding);
        await hold.ExecuteNonQueryAsync();
        var adding = Task.WhenAll(
            Enumerable
                .Range(0, WebhookRegistry.MostOfClient + 2)
                .Select(i => AddAsync($$"""{ "url": "https://shop.example/{{i}}" }"""))
        );
        await Eventually.That(
            () =>
                Database.CountAsync("pg_stat_activity where datname = current_database() and wait_event = 'advisory'"),
            Is.EqualTo(WebhookRegistry.MostOfClient + 2),
            "registrations that wait"
        );
        await using var release = new NpgsqlCommand("select pg_advisory_unlock(7)", holding);
        await release.ExecuteNonQueryAsync();
        var answers = await adding;
        await Database.ExecuteAsync("drop trigger holds_up on webhooks; drop function hold_up");
        await RestartApiAsync();

        Assert.That(answers.Count(a => a.Status == 201), Is.EqualTo(WebhookRegistry.MostOfClient));
        Assert.That(answers.Where(a => a.Status != 201).Select(a => a.Code), Is.All.EqualTo("too-many-webhooks"));
    }

    [Test]
    public async Task After_a_rotation_both_secrets_are_kept_for_a_day()
    {
        var added = await AddAsync("""{ "url": "https://shop.example/" }""");
        var id = added.Body["id"]!.GetValue<Guid>();
        var rotated = await PostAsync($"/webhooks/{id}/rotate-secret");
        Assert.That(rotated.Status, Is.EqualTo(200), rotated.ToString());
        foreach (var (column, answer) in new[] { ("previous_secret", added), ("secret", rotated) })
            Assert.That(
                WebhookSecret.Format(
                    await Database.ScalarAsync<byte[]>($"select {column} from webhooks where id = $1", id)
                ),
                Is.EqualTo(answer.Body["secret"]!.GetValue<string>()),
                column
            );
        Assert.That(
            rotated.Body["previousSecretUntil"]!.GetValue<DateTime>(),
            Is.EqualTo(DateTime.UtcNow.AddDays(1)).Within(TimeSpan.FromMinutes(5))
        );
    }

    [Test]
    public async Task A_rotation_whose_answer_was_lost_is_repeated_and_the_secret_in_use_is_kept()
    {
        var added = await AddAsync("""{ "url": "https://shop.example/" }""");
        var id = added.Body["id"]!.GetValue<Guid>();
        await PostAsync($"/webhooks/{id}/rotate-secret");
        var repeated = await PostAsync($"/webhooks/{id}/rotate-secret");
        Assert.That(
            await SecretsAsync(id),
            Is.EqualTo((SecretIn(repeated), SecretIn(added))),
            "the present and the previous one"
        );

        await Database.ExecuteAsync("update webhooks set previous_until = now() where id = $1", id);
        var next = await PostAsync($"/webhooks/{id}/rotate-secret");
        Assert.That(await SecretsAsync(id), Is.EqualTo((SecretIn(next), SecretIn(repeated))), "a day later");
    }

    [Test]
    public async Task A_test_event_becomes_a_delivery_and_a_message_and_stands_in_the_log()
    {
        var id = (await AddAsync("""{ "url": "https://shop.example/" }""")).Body["id"]!.GetValue<Guid>();
        var tested = await PostAsync($"/webhooks/{id}/test");
        Assert.That(tested.Status, Is.EqualTo(202), tested.ToString());
        var delivery = tested.Body["deliveryId"]!.GetValue<Guid>();
        Assert.That(
            await Database.CountAsync("outbox where correlation_id = $1", delivery.ToString()),
            Is.EqualTo(1),
            "messages"
        );
        Assert.That((await LogAsync(id))["status"]!.GetValue<string>(), Is.EqualTo("Waiting"));

        await Database.ExecuteAsync(
            $"insert into step_runs (subject_id, step, status, attempts, last_fault, next_attempt_at) values ($1, 'webhook', {StepStatus.Retrying:D}, 2, 'WebhookFailedException: Expected 2xx from 10.1.2.3:8443, found 500 boom', now())",
            delivery
        );
        var entry = await LogAsync(id);
        Assert.That(
            (
                entry["id"]!.GetValue<Guid>(),
                entry["event"]!.GetValue<string>(),
                entry["orderId"],
                entry["status"]!.GetValue<string>(),
                entry["attempts"]!.GetValue<int>(),
                entry["lastFault"]!.GetValue<string>()
            ),
            Is.EqualTo(
                (delivery, "webhook.test", (JsonNode?)null, "Retrying", 2, "Expected 2xx from the address, found 500.")
            )
        );
    }

    [Test]
    public async Task A_client_sends_a_few_test_events_in_a_minute()
    {
        const string carol = "ok_CarolManagesHooksCarolManagesHooksCarolMana";
        await AddKeyAsync("carol", carol, "webhooks:write", "orders:read");
        var added = await AddAsync("""{ "url": "https://shop.example/" }""", carol);
        var path = $"/webhooks/{added.Body["id"]!.GetValue<Guid>()}/test";
        var answers = new List<Answer>();
        while (answers.Count < 40 && answers.LastOrDefault()?.Status is null or 202)
            answers.Add(await PostAsync(path, carol));

        Assert.That(answers, Has.Count.GreaterThan(WebhookRegistry.MostOfClient));
        Assert.That((answers[^1].Status, answers[^1].Code), Is.EqualTo((429, "too-many-requests")));
        Assert.That(int.Parse(answers[^1].Headers["Retry-After"], null), Is.InRange(1, 6));
        Assert.That(await Database.CountAsync("webhook_deliveries"), Is.EqualTo(answers.Count - 1));
        Assert.That((await PostAsync(path)).Status, Is.EqualTo(404), "another client is not held up");
    }

    [Test]
    public async Task What_belongs_to_somebody_else_is_not_there()
    {
        var id = (await AddAsync("""{ "url": "https://shop.example/" }""")).Body["id"]!.GetValue<Guid>();
        Answer[] answers =
        [
            await GetAsync($"/webhooks/{id}", BobManages),
            await GetAsync($"/webhooks/{id}/deliveries", BobManages),
            await PostAsync($"/webhooks/{id}/test", BobManages),
            await PostAsync($"/webhooks/{id}/rotate-secret", BobManages),
            await SendAsync(HttpMethod.Delete, $"/webhooks/{id}", BobManages),
        ];
        Assert.That(answers.Select(a => a.Code), Is.All.EqualTo("webhook-not-found"));
        Assert.That((await GetAsync("/webhooks", BobManages)).Body.AsArray(), Is.Empty);

        Assert.That((await SendAsync(HttpMethod.Delete, $"/webhooks/{id}", Managed)).Status, Is.EqualTo(204));
        Assert.That((await GetAsync($"/webhooks/{id}", Managed)).Code, Is.EqualTo("webhook-not-found"));
    }

    [Test]
    public async Task A_key_that_posts_orders_registers_no_web_hook()
    {
        var answer = await AddAsync("""{ "url": "https://shop.example/" }""", Alice);
        Assert.That((answer.Status, answer.Code), Is.EqualTo((403, "missing-scope")));
        Assert.That(answer.Body["detail"]!.GetValue<string>(), Does.Contain("webhooks:write"));
    }

    private Task<Answer> AddAsync(string body, string key = Managed) =>
        SendAsync(HttpMethod.Post, "/webhooks", key, Json(body));

    private Task<Answer> PostAsync(string path, string key = Managed) => SendAsync(HttpMethod.Post, path, key);

    private static string SecretIn(Answer answer) => answer.Body["secret"]!.GetValue<string>();

    private async Task<(string Present, string Previous)> SecretsAsync(Guid webhook)
    {
        var secrets = await Database.ScalarAsync<byte[][]>(
            "select array[secret, previous_secret] from webhooks where id = $1",
            webhook
        );
        return (WebhookSecret.Format(secrets[0]), WebhookSecret.Format(secrets[1]));
    }

    private async Task<JsonNode> LogAsync(Guid webhook) =>
        (await GetAsync($"/webhooks/{webhook}/deliveries", Managed)).Body.AsArray().Single()!;
}
