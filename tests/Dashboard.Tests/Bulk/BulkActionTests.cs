using System.Net.Http.Headers;
using System.Net.Http.Json;
using Orders.Dashboard.Tests.Pages;
using QueueWorkers.Bulk;
using QueueWorkers.DeadLetters;
using QueueWorkers.Idempotency;

namespace Orders.Dashboard.Tests.Bulk;

/// <summary>
/// Bulk actions by the operator API: what was rehearsed is what is done, once, in the record with its number.
/// </summary>
internal sealed class BulkActionTests : BulkFixture
{
    [Test]
    public async Task Only_the_rehearsed_orders_are_cancelled_and_what_does_not_fit_any_more_is_counted()
    {
        var orders = await OrdersAsync("rehearsed", 5);
        var before = await OrdersAsync("rehearsed", 1);
        await CompleteAsync(before[0]);
        var rehearsal = await RehearseAsync(
            new { kind = "cancel-orders", filter = new { client = "rehearsed", status = "Accepted" } }
        );
        Assert.That(Counts(rehearsal), Is.EqualTo((5, 0, 0, 0, 5)));
        Assert.That(await CancelledAsync("rehearsed"), Is.Zero, "a rehearsal changes nothing");
        // One fits only now, one does not any more.
        var late = await OrdersAsync("rehearsed", 1);
        await CompleteAsync(orders[0]);
        Assert.That((await ConfirmAsync(rehearsal)).Status, Is.EqualTo(202));

        var done = await UntilAsync(rehearsal, "Finished");
        Assert.That(Counts(done), Is.EqualTo((5, 4, 1, 0, 0)), done.ToJsonString());
        Assert.That(
            await TestSystem.Database.CountAsync(
                "order_progress where order_id = any($1) and cancelled_at is not null",
                (object)new[] { late[0], orders[0], before[0] }
            ),
            Is.Zero,
            "orders that were not rehearsed, or did not fit any more"
        );
        Assert.That(await ToldAsync("rehearsed"), Is.EqualTo((4, 4)));
        var skipped = await GetAsync($"{AddressOf(rehearsal)}/items?state=Skipped", ViewerKey);
        Assert.That(
            skipped.Body[0]!["note"]!.GetValue<string>(),
            Is.EqualTo("It does not fit the filter any more; its status is Completed.")
        );
        Assert.That(
            await TestSystem.Database.ScalarAsync<string>(
                "select string_agg(who || ', ' || action || ', ' || count || ', ' || reason, ';') from audit where target = $1",
                $"bulk action {rehearsal["id"]!.GetValue<Guid>()}"
            ),
            Is.EqualTo("otto, cancel orders, 5, the supplier is bankrupt"),
            "one record for all of them"
        );
    }

    [Test]
    public async Task What_cannot_be_cancelled_is_said_before_and_refused_when_it_happens_in_between()
    {
        var orders = await OrdersAsync("refused", 4);
        await CompleteAsync(orders[0]);
        await TestSystem.Database.ExecuteAsync(
            "update order_progress set rejected_at = now() where order_id = $1",
            orders[1]
        );
        var rehearsal = await RehearseCancellingAsync("refused");
        Assert.That(Number(rehearsal, "total"), Is.EqualTo(2));
        Assert.That(rehearsal["rehearsal"]!["matched"]!.GetValue<long>(), Is.EqualTo(4));
        Assert.That(
            rehearsal["rehearsal"]!["untouched"]!.AsArray().Select(u => u!["reason"]!.GetValue<string>()),
            Is.EquivalentTo(["completed: the goods are on their way", "rejected: there is nothing to cancel"])
        );
        await CompleteAsync(orders[2]);
        await ConfirmAsync(rehearsal);
        var done = await UntilAsync(rehearsal, "Finished");
        Assert.That(Counts(done), Is.EqualTo((2, 1, 0, 1, 0)), done.ToJsonString());
    }

    [Test]
    public async Task A_confirmation_needs_the_number_and_repeating_it_changes_nothing()
    {
        await OrdersAsync("number", 3);
        var rehearsal = await RehearseCancellingAsync("number");
        var wrong = await PostAsync(
            $"{AddressOf(rehearsal)}/confirm",
            OperatorsKey,
            new { expect = 2, reason = "a slip" }
        );
        Assert.That((wrong.Status, wrong.Code), Is.EqualTo((409, "count-changed")));
        var answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => ConfirmAsync(rehearsal)));
        Assert.That(answers.Select(a => a.Status), Is.All.EqualTo(202));
        await UntilAsync(rehearsal, "Finished");
        Assert.That(await ToldAsync("number"), Is.EqualTo((3, 3)));
        Assert.That(
            await TestSystem.Database.CountAsync(
                "audit where target = $1",
                $"bulk action {rehearsal["id"]!.GetValue<Guid>()}"
            ),
            Is.EqualTo(1)
        );
        Assert.That((await ConfirmAsync(rehearsal)).Status, Is.EqualTo(202), "also when it is done");
    }

    [Test]
    public async Task A_viewer_may_look_and_not_act()
    {
        await OrdersAsync("viewed", 1);
        var rehearsal = await RehearseCancellingAsync("viewed");
        foreach (var verb in (string[])["confirm", "pause", "resume", "end"])
            Assert.That(
                (
                    await PostAsync($"{AddressOf(rehearsal)}/{verb}", ViewerKey, new { reason = "no", expect = 1 })
                ).Status,
                Is.EqualTo(403),
                verb
            );
        Assert.That(
            (
                await PostAsync(
                    "/api/bulk-actions",
                    ViewerKey,
                    new { kind = "cancel-orders", filter = new { client = "viewed" } }
                )
            ).Status,
            Is.EqualTo(403)
        );
        Assert.That((await GetAsync(AddressOf(rehearsal), ViewerKey)).Status, Is.EqualTo(200));
        Assert.That((await GetAsync("/api/bulk-actions", ViewerKey)).Status, Is.EqualTo(200));
        Assert.That((await GetAsync($"{AddressOf(rehearsal)}/items?state=Waiting", ViewerKey)).Status, Is.EqualTo(200));
        Assert.That(await CancelledAsync("viewed"), Is.Zero);
    }

    [Test]
    public async Task The_same_request_again_is_the_same_rehearsal_and_another_one_with_its_key_is_refused()
    {
        await OrdersAsync("again", 2);
        object request = new { kind = "cancel-orders", filter = new { client = "again" } };
        var first = await SendWithKeyAsync(request);
        var copies = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => SendWithKeyAsync(request)));
        Assert.That(
            copies.Select(c => c.Answer.Body["id"]!.GetValue<Guid>()),
            Is.All.EqualTo(first.Answer.Body["id"]!.GetValue<Guid>())
        );
        Assert.That((first.IsReplayed, copies.All(c => c.IsReplayed)), Is.EqualTo((false, true)));
        var other = await SendWithKeyAsync(new { kind = "cancel-orders", filter = new { client = "other" } });
        Assert.That((other.Answer.Status, other.Answer.Code), Is.EqualTo((422, "idempotency-key-reused")));
        Assert.That(await TestSystem.Database.CountAsync("bulk_actions where idempotency_key = 'once'"), Is.EqualTo(1));
    }

    [TestCase("""{"kind":"delete-orders","filter":{"client":"x"}}""", 422, "unknown-kind")]
    [TestCase("""{"kind":"cancel-orders","filter":{}}""", 400, "invalid-filter")]
    [TestCase("""{"kind":"cancel-orders"}""", 400, "invalid-filter")]
    [TestCase("""{"kind":"cancel-orders","filter":{"colour":"blue"}}""", 400, "invalid-filter")]
    [TestCase("""{"kind":"cancel-orders","filter":{"status":99}}""", 400, "invalid-filter")]
    [TestCase("""{"kind":"cancel-orders","filter":{"client":"x"},"perSecond":0}""", 400, "invalid-filter")]
    [TestCase("""{"kind":"cancel-orders","step":"hurried","filter":{"client":"x"}}""", 422, "invalid-step")]
    [TestCase("""{"kind":"replay-step","filter":{"client":"x"}}""", 422, "invalid-step")]
    [TestCase("""{"kind":"replay-step","step":"parrot","filter":{"client":"x"}}""", 422, "invalid-step")]
    [TestCase("""{"kind":"archive-failures","filter":{"state":"Archived"}}""", 400, "invalid-filter")]
    [TestCase("""{"kind":"archive-failures","filter":{"text":"ab"}}""", 400, "invalid-filter")]
    public async Task What_cannot_be_rehearsed_is_refused_with_a_reason(string request, int status, string code)
    {
        var answer = await PostAsync("/api/bulk-actions", OperatorsKey, System.Text.Json.Nodes.JsonNode.Parse(request));
        Assert.That((answer.Status, answer.Code), Is.EqualTo((status, code)), answer.ToString());
    }

    [Test]
    public async Task Items_need_a_state_and_a_bulk_action_that_exist()
    {
        await OrdersAsync("items", 1);
        var rehearsal = await RehearseCancellingAsync("items");
        foreach (var state in (string[])["99", "0", "Colour"])
            Assert.That(
                (await GetAsync($"{AddressOf(rehearsal)}/items?state={state}", ViewerKey)).Status,
                Is.EqualTo(400),
                state
            );
        var unknown = await GetAsync($"/api/bulk-actions/{Guid.NewGuid()}/items?state=Waiting", ViewerKey);
        Assert.That((unknown.Status, unknown.Code), Is.EqualTo((404, "not-found")));
        var items = await GetAsync($"{AddressOf(rehearsal)}/items?state=Waiting", ViewerKey);
        Assert.That((items.Status, items.Body.AsArray().Count), Is.EqualTo((200, 1)));
    }

    [Test]
    public async Task A_long_filter_is_shown_with_its_bulk_action_and_not_in_the_list()
    {
        var ids = Enumerable.Range(0, 300).Select(_ => Guid.NewGuid()).ToArray();
        var rehearsal = await RehearseAsync(new { kind = "archive-failures", filter = new { ids } });
        Assert.That(rehearsal["filter"]!["ids"]!.AsArray(), Has.Count.EqualTo(300));
        var listed = (await GetAsync("/api/bulk-actions", ViewerKey)).Body.AsArray();
        Assert.That(
            listed.Single(a => a!["id"]!.GetValue<Guid>() == rehearsal["id"]!.GetValue<Guid>())!["filter"],
            Is.Null
        );
    }

    [Test]
    public async Task A_locked_order_holds_up_neither_another_bulk_action_nor_who_pauses_its_own()
    {
        var held = await OrdersAsync("held", 1);
        await OrdersAsync("free", 2);
        var first = await RehearseCancellingAsync("held");
        var second = await RehearseCancellingAsync("free");
        await using var connection = await TestSystem.Database.Source.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using (var take = connection.CreateCommand())
        {
            take.CommandText = "select 1 from order_progress where order_id = $1 for update";
            take.Parameters.Add(new() { Value = held[0] });
            await take.ExecuteScalarAsync();
        }

        await ConfirmAsync(first);
        await ConfirmAsync(second);
        Assert.That(Counts(await UntilAsync(second, "Finished")), Is.EqualTo((2, 2, 0, 0, 0)));
        var paused = await ChangeAsync(first, "pause");
        Assert.That((paused.Status, Number(paused.Body, "left")), Is.EqualTo((200, 1)));
        await transaction.RollbackAsync();
        await ChangeAsync(first, "resume");
        Assert.That(Counts(await UntilAsync(first, "Finished")), Is.EqualTo((1, 1, 0, 0, 0)));
    }

    [Test]
    public async Task It_is_paused_goes_on_and_is_ended_and_the_rest_is_left_alone()
    {
        await OrdersAsync("paused", 30);
        var rehearsal = await RehearseCancellingAsync("paused", perSecond: 1);
        await ConfirmAsync(rehearsal);
        await Eventually.That(() => CancelledAsync("paused"), Is.Positive, "cancelled orders");
        var paused = await ChangeAsync(rehearsal, "pause");
        Assert.That(paused.Body["state"]!.GetValue<string>(), Is.EqualTo("Paused"), paused.ToString());
        var stood = Number(paused.Body, "done");
        Assert.That(
            await CancelledAsync("paused"),
            Is.EqualTo(stood),
            "what is done is counted, whenever it is paused"
        );
        Assert.That((await ChangeAsync(rehearsal, "pause")).Code, Is.EqualTo("not-open"));
        Assert.That((await ChangeAsync(rehearsal, "resume")).Status, Is.EqualTo(200));
        await Eventually.That(() => CancelledAsync("paused"), Is.GreaterThan(stood), "cancelled orders");
        var ended = await ChangeAsync(rehearsal, "end");
        Assert.That(ended.Body["state"]!.GetValue<string>(), Is.EqualTo("Ended"));
        var (total, done, skipped, refused, left) = Counts(ended.Body);
        Assert.That((total, done + skipped, refused, left), Is.EqualTo((30, 30, 0, 0)));
        Assert.That(skipped, Is.Positive);
        Assert.That(await CancelledAsync("paused"), Is.EqualTo(done));
        Assert.That((await ChangeAsync(rehearsal, "resume")).Code, Is.EqualTo("not-open"));
        Assert.That(
            (await PostAsync($"/api/bulk-actions/{Guid.NewGuid()}/end", OperatorsKey, new { reason = "x" })).Code,
            Is.EqualTo("not-found")
        );
    }

    [Test]
    public async Task A_rehearsal_that_nobody_confirms_ends_and_cannot_be_confirmed()
    {
        await OrdersAsync("forgotten", 2);
        var rehearsal = await RehearseCancellingAsync("forgotten");
        await TestSystem.Database.ExecuteAsync(
            "update bulk_actions set created_at = now() - interval '61 minutes' where id = $1",
            rehearsal["id"]!.GetValue<Guid>()
        );
        var ended = await UntilAsync(rehearsal, "Ended");
        Assert.That(Counts(ended), Is.EqualTo((2, 0, 2, 0, 0)));
        Assert.That((await ConfirmAsync(rehearsal)).Code, Is.EqualTo("not-open"));
        Assert.That(await CancelledAsync("forgotten"), Is.Zero);
    }

    [Test]
    public async Task A_step_is_replayed_for_orders_that_it_was_not_done_for()
    {
        await TestSystem.Database.ExecuteAsync(
            "update step_catalogue set consumes = array['Orders.Contracts:OrderAccepted'] where step = 'hurried'"
        );
        var orders = await OrdersAsync("replayed", 6);
        await DoneAsync(orders[0]);
        await TestSystem.Database.ExecuteAsync(
            "update order_progress set cancelled_at = now() where order_id = $1",
            orders[1]
        );
        var rehearsal = await RehearseAsync(
            new
            {
                kind = "replay-step",
                step = "hurried",
                filter = new { client = "replayed" },
                perSecond = 1000,
            }
        );
        Assert.That(Number(rehearsal, "total"), Is.EqualTo(4));
        Assert.That(
            rehearsal["rehearsal"]!["untouched"]!.AsArray().Select(u => u!["reason"]!.GetValue<string>()),
            Is.EquivalentTo(["done with this step before", "cancelled"])
        );
        await DoneAsync(orders[2]);
        await ConfirmAsync(rehearsal);
        var done = await UntilAsync(rehearsal, "Finished");
        Assert.That(Counts(done), Is.EqualTo((4, 3, 1, 0, 0)), done.ToJsonString());
        Assert.That(
            await TestSystem.Database.ScalarAsync<string>(
                "select string_agg(correlation_id, ',' order by correlation_id) from outbox where exchange = 'hurried' and correlation_id = any($1)",
                (object)orders.Select(o => o.ToString()).ToArray()
            ),
            Is.EqualTo(string.Join(',', orders[3..].Select(o => o.ToString()).Order(StringComparer.Ordinal)))
        );
    }

    [Test]
    public async Task Failures_are_archived_but_not_those_that_a_redrive_holds()
    {
        await SampleData.OrdersAsync(TestSystem.Database, 60, "sample");
        await SampleData.FailuresAsync(TestSystem.Database, 60);
        var failed = await TestSystem.Database.ScalarAsync<long>(
            $"select count(*) from failures where fingerprint = 'group1' and state = {FailureState.Failed:D}"
        );
        var held = await TestSystem.Database.ScalarAsync<Guid>(
            $"select id from failures where fingerprint = 'group1' and state = {FailureState.Failed:D} order by id limit 1"
        );
        await TestSystem.Database.ExecuteAsync("delete from redrive_items");
        await TestSystem.Database.ExecuteAsync(
            $"insert into redrive_items (redrive_id, failure_id, state) select id, $1, {RedriveItemState.Waiting:D} from redrives limit 1",
            held
        );
        var rehearsal = await RehearseAsync(new { kind = "archive-failures", filter = new { group = "group1" } });
        Assert.That(Number(rehearsal, "total"), Is.EqualTo(failed - 1));
        // One is closed meanwhile.
        await TestSystem.Database.ExecuteAsync(
            $"update failures set state = {FailureState.Gone:D} where id = (select max(target_id::text)::uuid from bulk_items where bulk_action_id = $1)",
            rehearsal["id"]!.GetValue<Guid>()
        );
        // One comes back to life and fails for another reason.
        await TestSystem.Database.ExecuteAsync(
            "update failures set last_at = now() where id = (select min(target_id::text)::uuid from bulk_items where bulk_action_id = $1)",
            rehearsal["id"]!.GetValue<Guid>()
        );
        await ConfirmAsync(rehearsal, "nobody needs them");
        var done = await UntilAsync(rehearsal, "Finished");
        Assert.That(Counts(done), Is.EqualTo(((int)failed - 1, (int)failed - 3, 2, 0, 0)), done.ToJsonString());
        Assert.That(
            await TestSystem.Database.CountAsync(
                $"failures where fingerprint = 'group1' and state = {FailureState.Archived:D} and note = 'Archived by otto: nobody needs them'"
            ),
            Is.EqualTo(failed - 3)
        );
        Assert.That(
            (await GetAsync($"{AddressOf(rehearsal)}/items?state=Skipped", ViewerKey)).Body.ToJsonString(),
            Does.Contain("It has failed anew since the rehearsal.").And.Contain("It is not failed any more")
        );
        Assert.That(
            await TestSystem.Database.ScalarAsync<short>("select state from failures where id = $1", held),
            Is.EqualTo((short)FailureState.Failed)
        );
        await TextBeginsWithAnAtSignAsync();
    }

    // Masked as a text, the document would lose a quotation mark.
    private async Task TextBeginsWithAnAtSignAsync()
    {
        await MentionAsync("group2");
        var filter = new { text = "@gmail.com" };
        var rehearsal = await RehearseAsync(new { kind = "archive-failures", filter });
        Assert.That(Number(rehearsal, "total"), Is.EqualTo(1));
        Assert.That((await ConfirmAsync(rehearsal)).Status, Is.EqualTo(202));
        await UntilAsync(rehearsal, "Finished");
        await MentionAsync("group3");
        var redrive = await PostAsync("/api/redrives", OperatorsKey, new { filter, reason = "it is back" });
        Assert.That(redrive.Status, Is.EqualTo(201), redrive.ToString());
        var other = new { text = "for zoe@gmail.com" };
        var masked = await RehearseAsync(new { kind = "archive-failures", filter = other });
        Assert.That(masked["filter"]!["text"]!.GetValue<string>(), Is.EqualTo("for <address>"));
        Assert.That(
            await TestSystem.Database.ScalarAsync<string>(
                "select string_agg(filter ->> 'text', ', ' order by id) from audit where filter ->> 'text' is not null"
            ),
            Is.EqualTo("@gmail.com, @gmail.com")
        );
    }

    private Task<int> MentionAsync(string group) =>
        TestSystem.Database.ExecuteAsync(
            $"update failures set fault_message = '550 nobody@gmail.com is full' where id = (select id from failures where fingerprint = $1 and state = {FailureState.Failed:D} order by id limit 1)",
            group
        );

    [Test]
    public async Task An_order_that_meets_a_defect_is_refused_and_holds_up_no_other()
    {
        var orders = await OrdersAsync("defect", 3);
        await TestSystem.Database.ExecuteAsync(
            $$"""
            create function refuse_one() returns trigger language plpgsql as
                $body$ begin raise exception 'no such thing'; end $body$;
            create trigger refuse_one before update on order_progress for each row
                when (new.order_id = '{{orders[1]}}') execute function refuse_one();
            """
        );
        try
        {
            var rehearsal = await RehearseCancellingAsync("defect");
            await ConfirmAsync(rehearsal);
            var done = await UntilAsync(rehearsal, "Finished");
            Assert.That(Counts(done), Is.EqualTo((3, 2, 0, 1, 0)), done.ToJsonString());
            Assert.That(
                (await GetAsync($"{AddressOf(rehearsal)}/items?state={BulkItemState.Refused}", ViewerKey)).Body[0]![
                    "note"
                ]!.GetValue<string>(),
                Does.Contain("no such thing")
            );
        }
        finally
        {
            await TestSystem.Database.ExecuteAsync(
                "drop trigger refuse_one on order_progress; drop function refuse_one()"
            );
        }
    }

    private async Task CompleteAsync(Guid order) =>
        await TestSystem.Database.ExecuteAsync(
            "update order_progress set done = required, completed_at = now() where order_id = $1",
            order
        );

    private async Task DoneAsync(Guid order) =>
        await TestSystem.Database.ExecuteAsync(
            $"insert into effects (subject_id, effect, message_id, step, state) values ($1, 'hurried', gen_random_uuid(), 'hurried', {EffectState.Done:D})",
            order
        );

    private Task<Answer> ChangeAsync(System.Text.Json.Nodes.JsonNode action, string verb) =>
        PostAsync($"{AddressOf(action)}/{verb}", OperatorsKey, new { reason = "a look" });

    private async Task<(Answer Answer, bool IsReplayed)> SendWithKeyAsync(object body)
    {
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(Dashboard.Address, "/api/bulk-actions"))
        {
            Content = JsonContent.Create(body),
            Headers = { Authorization = new AuthenticationHeaderValue("Bearer", OperatorsKey) },
        };
        request.Headers.Add("Idempotency-Key", "\"once\"");
        using var response = await http.SendAsync(request);
        return (
            new Answer(
                (int)response.StatusCode,
                response.Content.Headers.ContentType?.MediaType,
                await response.Content.ReadAsStringAsync()
            ),
            response.Headers.Contains("Idempotency-Replayed")
        );
    }
}
