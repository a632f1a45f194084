using Npgsql;
using Orders.Dashboard.Tests.Login;
using QueueWorkers.DeadLetters;
using QueueWorkers.Erasing;
using QueueWorkers.Operators;

namespace Orders.Dashboard.Tests.Erasing;

/// <summary>
/// What an erasure must leave as it is, what it must not leave, and what it says while a queue keeps it from its end.
/// </summary>
internal sealed class ErasureEdgeTests : ErasureFixture
{
    // The names of Bo are shorter than a word that says something about a person: they stand in other words by chance.
    private static readonly Customer Bo = new("Bo Li", "bo@li.example", "A 1", "Ulm");

    // A test that fails leaves nothing that the others would wait for.
    [TearDown]
    public Task ForgetAsync() =>
        TestSystem.Database.ExecuteAsync(
            """
            delete from failures where queue in ('nowhere', 'parcel_error');
            delete from posted_keys where client_id = 'tests';
            delete from step_catalogue where step = 'parcel'
            """
        );

    // Attack: a client makes its idempotency keys of the customer's names, and an erased person is read off them.
    [TestCase("quittenbaum-17")]
    [TestCase("ORDER.ZORA.3")]
    [TestCase("ringelnatzweg/1")]
    [TestCase("zora.quittenbaum+1")]
    public async Task A_key_with_a_word_of_the_customer_goes(string key)
    {
        var customer = Zora with { Email = $"zora.quittenbaum@{Guid.NewGuid():N}.example" };
        var order = (await StoreEndedAsync(customer, 1))[0];
        await PostedAsync(order, key);
        await EraseAsync(customer);
        Assert.That(await KeyAsync(order), Is.EqualTo($"erased {order}"));
    }

    // Attack: no word of the name or street is long enough, but together they name the person.
    [TestCase("Bo Li 17")]
    [TestCase("order of bo li")]
    [TestCase("17, Am 1, Ulm")]
    public async Task A_key_with_a_whole_name_or_street_of_short_words_goes(string key)
    {
        var customer = Bo with { Email = $"bo@{Guid.NewGuid():N}.example", Street = "Am 1" };
        var order = (await StoreEndedAsync(customer, 1))[0];
        await PostedAsync(order, key);
        await EraseAsync(customer);
        Assert.That(await KeyAsync(order), Is.EqualTo($"erased {order}"));
    }

    // A replaced key lets a repeated post through as a second order: no key goes that says nothing about a person.
    [TestCase("bo-li-a1")]
    [TestCase("k")]
    [TestCase("7")]
    [TestCase("019ab1c2-7d3e-7f00-8a1b-5c9d2e4f6a70")]
    public async Task A_short_key_and_a_key_with_short_names_stay_and_a_repeated_post_finds_them(string key)
    {
        var customer = Bo with { Email = $"bo@{Guid.NewGuid():N}.example" };
        var order = (await StoreEndedAsync(customer, 1))[0];
        await PostedAsync(order, key);
        await EraseAsync(customer);
        Assert.That(await KeyAsync(order), Is.EqualTo(key));
        Assert.That(
            await TestSystem.Database.CountAsync("posted_keys where order_id = $1 and body_hash = ''", order),
            Is.EqualTo(1),
            "hash of the body"
        );
    }

    [Test]
    public async Task Closed_failures_keep_their_state_and_open_ones_are_archived_for_good()
    {
        var customer = Nora with { Email = "states@feigenbaum.example" };
        var order = (await StoreEndedAsync(customer, 1))[0];
        foreach (var state in Enum.GetValues<FailureState>().Except([FailureState.Redriving, FailureState.Failed]))
            await FailAsync(order, state, closed: "2026-01-02");
        // An order that needs attention is not erased: this failure has no order, and quotes the customer.
        await FailAsync(null, FailureState.Failed, closed: null, customer.Email);
        await EraseAsync(customer);

        var states = await TestSystem.Database.RowsAsync(
            """
            select state, coalesce(closed_at = '2026-01-02', false), restorable_until <= now(), fault_message
            from failures where queue = 'nowhere' order by id
            """
        );
        Assert.That(
            states.Select(r => ((FailureState)(short)r[0]!, (bool)r[1]!)),
            Is.EqualTo([
                (FailureState.Redriven, true),
                (FailureState.FailedAgain, true),
                // Put away before, gone from its queue, and open.
                (FailureState.Archived, true),
                (FailureState.Archived, true),
                (FailureState.Archived, false),
            ])
        );
        Assert.That(states.Select(r => (bool)r[2]!), Is.All.True, "nobody restores one");
        Assert.That(states.Select(r => r[3]), Is.All.EqualTo(ErasureSql.Erased));
    }

    // Attack: a worker is taken over, and asks for the invoices of this year.
    [TestCase("interval '23 hours'")]
    [TestCase("interval '0'")]
    [TestCase("interval '-100 years'")]
    [TestCase("null")]
    public async Task Invoices_are_not_erased_before_their_time_whoever_asks(string kept)
    {
        // As the owner: what holds for the owner holds for a worker, who may only call the function.
        await using var command = TestSystem.Database.Source.CreateCommand($"select erase_invoices({kept}, 10)");
        Assert.That(
            () => command.ExecuteScalarAsync(),
            Throws
                .TypeOf<PostgresException>()
                .With.Property(nameof(PostgresException.MessageText))
                .StartsWith("Expected invoices to be kept for 1 day or longer, found")
        );
    }

    // A step that is no longer there may have left a queue that nobody may read.
    [Test]
    public async Task A_queue_that_may_not_be_read_is_named_until_it_can_be()
    {
        await new OperatorStore(TestSystem.Database.Source).EnsureAsync(
            "anna",
            OperatorRole.Admin,
            LoginClient.Password,
            AdminKey,
            default
        );
        var customer = Nora with { Email = "closed@feigenbaum.example" };
        await StoreEndedAsync(customer, 1);
        await TestSystem.Broker.DeclareQueueAsync("parcel_error");
        await TestSystem.Database.ExecuteAsync(
            "insert into step_catalogue (step, bit, position, active) values ('parcel', 1073741824, 99, false)"
        );
        var refused = await PostAsync("/api/erasures", AdminKey, Request(customer));
        Assert.That((refused.Status, refused.Code), Is.EqualTo((409, "queue-not-indexed")), refused.ToString());
        Assert.That(
            refused.Body["detail"]!.GetValue<string>(),
            Does.StartWith("Queue parcel_error may not be read: ").And.Contain("ACCESS_REFUSED").And.Contain("deploy")
        );

        // Its message is known already: what is erased stands in there.
        await TestSystem.Database.ExecuteAsync("delete from step_catalogue where step = 'parcel'");
        await FailAsync(null, FailureState.Archived, closed: "2026-01-02", customer.Email, "parcel_error");
        var begun = await PostAsync("/api/erasures", AdminKey, Request(customer));
        Assert.That(begun.Status, Is.EqualTo(202), begun.ToString());
        var path = $"/api/erasures/{begun.Body["id"]!.GetValue<Guid>()}";
        await Eventually.That(
            async () =>
                (await GetAsync(path, AdminKey)).Body["waitingFor"]!.AsArray().Select(w => w!.GetValue<string>()),
            Has.Exactly(1).StartsWith("Queue parcel_error may not be read: ").And.Exactly(1).Contains("ACCESS_REFUSED"),
            "what the erasure waits for"
        );
        Assert.That((await GetAsync(path, AdminKey)).Body["finishedAt"], Is.Null);
        Assert.That(await PageAsync(), Does.Contain(">Waits<").And.Contain("Queue parcel_error may not be read: "));

        await TestSystem.Broker.DeleteQueueAsync("parcel_error");
        // It looks again after half a minute; another process at once.
        await RestartWithRoleAsync();
        await UntilErasedAsync(begun.Body["id"]!.GetValue<Guid>());
        Assert.That((await GetAsync(path, AdminKey)).Body["waitingFor"]!.AsArray(), Is.Empty);
        Assert.That(await PageAsync(), Does.Contain(">Finished<").And.Not.Contain(">Waits<"));
    }

    private async Task<string> PageAsync()
    {
        using var browser = new LoginClient(Dashboard, "203.0.113.9");
        Assert.That((await browser.LogInAsync("anna", LoginClient.Password)).Status, Is.EqualTo(302));
        return await browser.ReadAsync("/erasures");
    }

    private async Task PostedAsync(Guid order, string key) =>
        await TestSystem.Database.ExecuteAsync(
            "insert into posted_keys (client_id, key, order_id, body_hash) values ('tests', $1, $2, 'x')",
            key,
            order
        );

    private Task<string> KeyAsync(Guid order) =>
        TestSystem.Database.ScalarAsync<string>("select key from posted_keys where order_id = $1", order);

    private Task<int> FailAsync(
        Guid? order,
        FailureState state,
        string? closed,
        string quotes = "",
        string queue = "nowhere"
    ) =>
        TestSystem.Database.ExecuteAsync(
            """
            insert into failures (id, subject_id, state, kind, queue, identity, generation, copies, message_id,
                fault_type, fault_message, fingerprint, attempts, first_at, last_at, body, content_type, headers,
                closed_at, removed_at)
            values (uuidv7(), nullif($1, '')::uuid, $2, 1, $5, uuidv7(), 0, 1, uuidv7(), 'x', 'of ' || $4, 'x', 1,
                now(), now(), '', '', '{}', nullif($3, '')::timestamptz, case when $5 = 'nowhere' then now() end)
            """,
            order?.ToString() ?? "",
            (short)state,
            closed ?? "",
            quotes,
            queue
        );

    private static object Request(Customer customer) => new { customer = customer.Email, reason = "Request of 3 May." };
}
