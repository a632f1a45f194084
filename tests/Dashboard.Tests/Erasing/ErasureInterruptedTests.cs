using Npgsql;
using Orders.Infrastructure;
using QueueWorkers.DeadLetters;
using QueueWorkers.Erasing;
using QueueWorkers.Redrive;
using QueueWorkers.Steps;

namespace Orders.Dashboard.Tests.Erasing;

/// <summary>
/// Erasures that die in the middle, run twice at once, are refused, asked for by the wrong role, or undone by a restored
/// backup.
/// </summary>
internal sealed class ErasureInterruptedTests : ErasureFixture
{
    // Three batches.
    private const int Many = 1200;

    [Test]
    public async Task One_that_stops_in_the_middle_goes_on_there_in_another_process_without_the_address()
    {
        var customer = Zora with { Email = "stops@quittenbaum.example" };
        var orders = await StoreEndedAsync(customer, Many);
        // The batch that has this order fails, as if its process died before the commit: again and again.
        await TestSystem.Database.ExecuteAsync(
            $$"""
            create function stop_here() returns trigger language plpgsql as $f$
                begin if new.id = '{{orders[700]}}' then raise exception 'dies here'; end if; return new; end $f$;
            create trigger stop_here before update on orders for each row execute function stop_here()
            """
        );
        var begun = await PostAsync("/api/erasures", AdminKey, Request(customer));
        Assert.That(begun.Status, Is.EqualTo(202), begun.ToString());
        var id = begun.Body["id"]!.GetValue<Guid>();
        await Eventually.That(() => ErasedAsync(), Is.EqualTo(500), "orders of the first batch");

        // Two who ask at once while it is under way: neither makes a second one.
        var twins = await Task.WhenAll(
            Enumerable.Range(0, 2).Select(_ => PostAsync("/api/erasures", AdminKey, Request(customer)))
        );
        Assert.That(twins.Select(t => (t.Status, t.Code)), Is.All.EqualTo((409, "under-way")));

        await RestartWithRoleAsync();
        await TestSystem.Database.ExecuteAsync("drop trigger stop_here on orders; drop function stop_here()");
        await UntilErasedAsync(id);
        Assert.That(await ErasedAsync(), Is.EqualTo(Many));
        Assert.That(await PersonalTraces.InDatabaseAsync(TestSystem.Database, [customer.Email]), Is.Empty);
        Assert.That(await TestSystem.Database.CountAsync("erasure_items"), Is.Zero, "items left");
        Assert.That((await GetAsync($"/api/erasures/{id}", AdminKey)).Body["done"]!.GetValue<int>(), Is.EqualTo(Many));

        Task<long> ErasedAsync() =>
            TestSystem.Database.CountAsync("orders where id = any($1) and erased_at is not null", (object)orders);
    }

    [Test]
    public async Task Two_dashboards_erase_the_same_orders_once()
    {
        var customer = Zora with { Email = "twice@quittenbaum.example" };
        await StoreEndedAsync(customer, Many);
        await using var second = await DashboardHost.StartAsync(TestSystem, Settings);
        var answers = await Task.WhenAll(
            Enumerable.Range(0, 4).Select(_ => PostAsync("/api/erasures", AdminKey, Request(customer)))
        );
        Assert.That(answers.Count(a => a.Status == 202), Is.EqualTo(1), string.Join('\n', answers.Select(a => a.Text)));
        var id = answers.Single(a => a.Status == 202).Body["id"]!.GetValue<Guid>();
        await UntilErasedAsync(id);
        Assert.That(
            (await GetAsync($"/api/erasures/{id}", AdminKey)).Body["done"]!.GetValue<int>(),
            Is.EqualTo(Many),
            "each order counted once"
        );
    }

    [Test]
    public async Task One_that_begins_when_another_ends_does_not_list_what_that_has_erased()
    {
        // A busy machine takes longer for what follows than anybody may wait for a lock.
        await RestartWithRoleAsync("-c lock_timeout=1min");
        var customer = Nora with { Email = "meanwhile@feigenbaum.example" };
        await StoreEndedAsync(customer, 3);
        await using var other = new NpgsqlConnection(TestSystem.Database.ConnectionString);
        await other.OpenAsync();
        await using var transaction = await other.BeginTransactionAsync();
        await ExecuteAsync("lock table erasures in share row exclusive mode");
        var begins = PostAsync("/api/erasures", AdminKey, Request(customer));
        await Eventually.That(
            () =>
                TestSystem.Database.CountAsync(
                    """
                    pg_locks where not granted and relation = 'erasures'::regclass
                        and database = (select oid from pg_database where datname = current_database())
                    """
                ),
            Is.EqualTo(1),
            "erasures that wait"
        );
        await ExecuteAsync(
            "update orders set customer_email = 'nobody@feigenbaum.example', erased_at = now() where customer_email = $1",
            customer.Email
        );
        await transaction.CommitAsync();
        Assert.That((await begins).Code, Is.EqualTo("not-found"), "nothing is left to erase");
        Assert.That(await TestSystem.Database.CountAsync("erasures where finished_at is null"), Is.Zero);
        await RestartWithRoleAsync();

        async Task ExecuteAsync(string sql, params object[] values)
        {
            await using var command = new NpgsqlCommand(sql, other, transaction);
            foreach (var value in values)
                command.Parameters.Add(new() { Value = value });
            await command.ExecuteNonQueryAsync();
        }
    }

    [Test]
    public async Task An_order_that_is_under_way_is_named_and_nothing_is_changed()
    {
        var customer = Zora with { Email = "waits@quittenbaum.example" };
        await StoreEndedAsync(customer, 1);
        await using var host = await TestSystem.StartAsync("");
        var waiting = await PostAsync(host, customer);
        var number = OrderNumber.Format(
            await TestSystem.Database.ScalarAsync<long>("select number from orders where id = $1", waiting)
        );
        var refused = await PostAsync("/api/erasures", AdminKey, Request(customer));
        Assert.That((refused.Status, refused.Code), Is.EqualTo((409, "not-now")), refused.ToString());
        Assert.That(refused.Text, Does.Contain($"1 order is under way ({number})"));
        Assert.That(
            await TestSystem.Database.CountAsync("orders where customer_email = $1", customer.Email),
            Is.EqualTo(2),
            "orders as they were"
        );

        // Nor one that needs attention, although its other steps are done.
        await TestSystem.Database.ExecuteAsync(
            "update order_progress set done = required, failed = 1, completed_at = now() where order_id = $1",
            waiting
        );
        await TestSystem.Database.ExecuteAsync(
            $"insert into step_runs (subject_id, step, status, attempts) values ($1, 'email', {StepStatus.Retrying:D}, 1)",
            waiting
        );
        Assert.That((await PostAsync("/api/erasures", AdminKey, Request(customer))).Code, Is.EqualTo("not-now"));
    }

    [Test]
    public async Task A_changed_count_a_reason_with_the_address_and_other_roles_are_refused()
    {
        var customer = Zora with { Email = "counts@quittenbaum.example" };
        await StoreEndedAsync(customer, 2);
        var changed = await PostAsync(
            "/api/erasures",
            AdminKey,
            new
            {
                customer = customer.Email,
                reason = "r",
                expect = 1,
            }
        );
        Assert.That(changed.Code, Is.EqualTo("count-changed"));
        var named = await PostAsync(
            "/api/erasures",
            AdminKey,
            new { customer = customer.Email, reason = $"{customer.Email.ToUpperInvariant()} wants it" }
        );
        Assert.That(named.Status, Is.EqualTo(400), "an address in the reason");
        foreach (var key in (string[])[OperatorsKey, ViewerKey])
        foreach (var path in (string[])["/api/erasures", "/api/erasures/preview", "/api/customers/export"])
            Assert.That((await PostAsync(path, key, Request(customer))).Status, Is.EqualTo(403), path);
    }

    [Test]
    public async Task Only_the_whole_address_is_erased_and_a_part_of_one_is_refused()
    {
        var ann = Zora with { Email = "ann@example.com" };
        await StoreEndedAsync(ann, 1);
        // Texts that have the address, and texts that have a longer one.
        string[] own =
        [
            "550 <ANN@example.com> is unknown.",
            """{"text": "of:\nann@example.com"}""",
            "to=%3Cann@example.com",
        ];
        string[] others = ["550 <joann@example.com> is unknown.", "ann@example.com.au", "of x.ann@example.com"];
        foreach (var text in own.Concat(others))
            await FailAsync("unrouted", text, FailureState.Gone, removed: true);
        foreach (var part in (string[])["@", "ann@example", "@example.com", "ann @example.com"])
        foreach (var path in (string[])["/api/erasures", "/api/erasures/preview", "/api/customers/export"])
            Assert.That(
                (await PostAsync(path, AdminKey, new { customer = part, reason = "Request of 3 May." })).Status,
                Is.EqualTo(400),
                $"{path}: {part}"
            );
        await EraseAsync(ann);
        Assert.That(
            (
                await TestSystem.Database.RowsAsync(
                    "select fault_message, convert_from(body, 'UTF8') from failures where queue = 'unrouted' and fault_message ilike '%ann@example.com%'"
                )
            ).Select(r => $"{r[0]}{r[1]}"),
            Is.EquivalentTo(others.Select(o => o + o))
        );
    }

    [Test]
    public async Task An_address_with_other_letters_is_found_in_a_body()
    {
        var customer = Zora with { Email = "zora@quittenbäume.example" };
        await StoreEndedAsync(customer, 1);
        await FailAsync("unrouted", $"550 <{customer.Email}> is unknown.", FailureState.Gone, removed: true);
        await EraseAsync(customer);
        Assert.That(await PersonalTraces.InDatabaseAsync(TestSystem.Database, [customer.Email]), Is.Empty);
    }

    [Test]
    public async Task A_redrive_under_way_and_an_event_that_is_not_delivered_are_waited_for()
    {
        var customer = Zora with { Email = "redriven@quittenbaum.example" };
        var order = (await StoreEndedAsync(customer, 1))[0];
        await TestSystem.Database.ExecuteAsync(
            $"""
            insert into redrives (id, stage, created_by, reason, filter, patch, canary, rate_per_second, stop_percent,
                total) values (uuidv7(), {RedriveStage.DryRun:D}, 'otto', $1, '{"{}"}', '{"{}"}', 1, 1, 1, 1)
            """,
            customer.Email
        );
        var redriven = await PostAsync("/api/erasures", AdminKey, Request(customer));
        Assert.That(redriven.Code, Is.EqualTo("not-now"), redriven.ToString());
        Assert.That(redriven.Text, Does.Contain("quotes the person: wait for its end or cancel it."));
        await TestSystem.Database.ExecuteAsync("update redrives set finished_at = now() where finished_at is null");

        await TestSystem.Database.ExecuteAsync(
            $"""
            with d as (insert into webhook_deliveries (id, webhook_id, order_id, event, at)
                values (uuidv7(), uuidv7(), $1, 'order.completed', now()) returning id)
            insert into step_runs (subject_id, step, status, attempts)
                select id, 'webhook', {StepStatus.Retrying:D}, 1 from d
            """,
            order
        );
        var retried = await PostAsync("/api/erasures", AdminKey, Request(customer));
        Assert.That(retried.Code, Is.EqualTo("not-now"));
        Assert.That(retried.Text, Does.Contain("1 web-hook event is not delivered yet"));
        await TestSystem.Database.ExecuteAsync(
            $"update step_runs set status = {StepStatus.Done:D} where status = {StepStatus.Retrying:D} and step = 'webhook'"
        );
        await EraseAsync(customer);
        Assert.That(
            await TestSystem.Database.CountAsync("redrives where patch is not null or reason <> 'Erased.'"),
            Is.Zero
        );
    }

    [Test]
    public async Task A_deleted_queue_stops_no_erasure()
    {
        var customer = Zora with { Email = "elsewhere@quittenbaum.example" };
        await TestSystem.Broker.DeleteQueueAsync("inventory_skipped");
        await FailAsync("inventory_skipped", "x", FailureState.Archived, removed: false);
        await TestSystem.Database.ExecuteAsync(
            "update failures set note = $1 where queue = 'inventory_skipped'",
            ErasureSql.Note
        );
        await StoreEndedAsync(customer, 1);
        await EraseAsync(customer);
        Assert.That(
            await TestSystem.Database.CountAsync("failures where queue = 'inventory_skipped' and removed_at is null"),
            Is.Zero
        );
    }

    [Test]
    public async Task The_record_has_a_hash_and_no_address_whatever_a_reason_says()
    {
        var customer = Nora with { Email = "recorded@feigenbaum.example" };
        await StoreEndedAsync(customer, 1);
        await PostAsync(
            "/api/failures/archive",
            OperatorsKey,
            new { filter = new { text = customer.Email }, reason = $"{customer.Email} rang." }
        );
        await PostAsync("/api/customers/export", AdminKey, Request(customer));
        await EraseAsync(customer);
        var records = await TestSystem.Database.RowsAsync(
            "select action, target, reason, filter::text from audit where action in ('archive', 'erase customer', 'export customer') order by id desc limit 3"
        );
        Assert.That(records, Has.Count.EqualTo(3));
        foreach (var text in records.SelectMany(r => r).OfType<string>())
            Assert.That(text, Does.Not.Contain("feigenbaum"));
        Assert.That((string)records[0][1]!, Does.Match("^person [0-9a-f]{64}$"));
        Assert.That(records[1][1], Is.EqualTo(records[0][1]), "the same person");
        Assert.That(
            (await GetAsync("/api/audit/verification", ViewerKey)).Body["intact"]!.GetValue<bool>(),
            "the record is intact"
        );
    }

    [Test]
    public async Task What_a_restored_backup_brings_back_is_erased_again_by_the_list()
    {
        var customer = Nora with { Email = "restored@feigenbaum.example" };
        await StoreEndedAsync(customer, 3);
        await TestSystem.Database.ExecuteAsync(
            "create table backup as select * from orders where customer_email = 'restored@feigenbaum.example'"
        );
        var id = await EraseAsync(customer);
        // The list, as it is kept beside the backups.
        var list = (await GetAsync("/api/erasures", AdminKey))
            .Body.AsArray()
            .Select(e => new
            {
                person = e!["person"]!.GetValue<string>(),
                requestedAt = e["requestedAt"]!.GetValue<DateTimeOffset>(),
            })
            .ToArray();
        await TestSystem.Database.ExecuteAsync(
            """
            update orders o set customer_name = b.customer_name, customer_email = b.customer_email,
                ship_line1 = b.ship_line1, ship_city = b.ship_city, erased_at = null from backup b where b.id = o.id
            """
        );
        await TestSystem.Database.ExecuteAsync("drop table backup");
        await TestSystem.Database.ExecuteAsync("delete from erasures where id = $1", id);
        // What the customer ordered afterwards is a new contract.
        var newer = (await StoreEndedAsync(customer, 1))[^1];

        await FailAsync("unrouted", $"newer: {customer.Email}", FailureState.Gone, removed: true);

        var again = await PostAsync("/api/erasures/repeat", AdminKey, new { erasures = list, reason = "Restored." });
        Assert.That(again.Status, Is.EqualTo(200), again.ToString());
        Assert.That(again.Body["refused"]!.AsArray(), Is.Empty);
        await UntilErasedAsync(again.Body["begun"]!.AsArray().Single()!["id"]!.GetValue<Guid>());
        Assert.That(
            await TestSystem.Database.RowsAsync(
                "select id from orders where customer_email = 'restored@feigenbaum.example'"
            ),
            Is.EqualTo(new object?[][] { [newer] }),
            "orders with the address"
        );
        Assert.That(
            await TestSystem.Database.CountAsync("failures where fault_message = $1", $"newer: {customer.Email}"),
            Is.EqualTo(1),
            "a failure after the erasure"
        );
        var nothing = await PostAsync("/api/erasures/repeat", AdminKey, new { erasures = list, reason = "Again." });
        Assert.That(nothing.Body["begun"]!.AsArray(), Is.Empty, nothing.ToString());
    }

    // A row of the index, without a message.
    private Task<int> FailAsync(string queue, string text, FailureState state, bool removed) =>
        TestSystem.Database.ExecuteAsync(
            """
            insert into failures (id, state, kind, queue, identity, generation, copies, message_id, fault_type,
                fault_message, fingerprint, attempts, first_at, last_at, body, content_type, headers, closed_at,
                removed_at)
            values (uuidv7(), $3, 1, $1, uuidv7(), 0, 1, uuidv7(), 'x', $2::text, 'x', 1, now(), now(),
                convert_to($2::text, 'UTF8'), '', '{}', now(), case when $4 then now() end)
            """,
            queue,
            text,
            (short)state,
            removed
        );

    private static object Request(Customer customer) => new { customer = customer.Email, reason = "Request of 3 May." };
}
