namespace Orders.Producer.Api.Tests.Orders;

/// <summary><c>POST /orders/{id}/cancel</c>. What steps do then is tested beside the steps.</summary>
internal sealed class CancellationTests : ApiFixture
{
    [Test]
    public async Task An_order_is_cancelled_once_and_asking_again_changes_nothing()
    {
        var id = await OrderAsync();
        var first = await SendAsync(HttpMethod.Post, $"/orders/{id}/cancel", Alice);
        var second = await SendAsync(HttpMethod.Post, $"/orders/{id}/cancel", Alice);
        Assert.Multiple(() =>
        {
            Assert.That(first.Status, Is.EqualTo(202), first.ToString());
            Assert.That(first.Body["status"]!.GetValue<string>(), Is.EqualTo("Cancelled"));
            Assert.That(
                first.Body["steps"]!.AsArray().Select(s => s!["status"]!.GetValue<string>()),
                Is.All.EqualTo("Cancelled")
            );
            Assert.That(second.Status, Is.EqualTo(200));
            Assert.That(second.Text, Is.EqualTo(first.Text));
        });
        Assert.That(
            await Database.CountAsync(
                "outbox where correlation_id = $1 and exchange = 'Orders.Contracts:OrderCancelled' and priority = 8",
                id.ToString()
            ),
            Is.EqualTo(1),
            "messages to the steps"
        );
        Assert.That(await Database.CountAsync("cancelled_subjects where subject_id = $1", id), Is.EqualTo(1));
    }

    [Test]
    public async Task Somebody_elses_order_does_not_exist()
    {
        var id = await OrderAsync();
        Assert.That((await SendAsync(HttpMethod.Post, $"/orders/{id}/cancel", Bob)).Status, Is.EqualTo(404));
        Assert.That(
            (await SendAsync(HttpMethod.Post, $"/orders/{Guid.NewGuid()}/cancel", Alice)).Code,
            Is.EqualTo("order-not-found")
        );
        Assert.That((await GetAsync($"/orders/{id}")).Body["status"]!.GetValue<string>(), Is.EqualTo("Accepted"));
    }

    [Test]
    public async Task A_key_that_may_only_read_cannot_cancel()
    {
        var id = await OrderAsync();
        Assert.That((await SendAsync(HttpMethod.Post, $"/orders/{id}/cancel", AliceReads)).Status, Is.EqualTo(403));
    }

    [TestCase("update order_progress set done = required, completed_at = now() where order_id = $1")]
    [TestCase("update order_progress set rejected_at = now() where order_id = $1")]
    public async Task An_order_that_has_ended_cannot_be_cancelled(string end)
    {
        var id = await OrderAsync();
        await Database.ExecuteAsync(end, id);
        var answer = await SendAsync(HttpMethod.Post, $"/orders/{id}/cancel", Alice);
        Assert.That((answer.Status, answer.Code), Is.EqualTo((409, "order-not-cancellable")));
    }

    [Test]
    public async Task A_dead_lettered_step_ends_with_the_order_and_needs_no_attention_any_more()
    {
        var id = await OrderAsync();
        await Database.ExecuteAsync("update order_progress set failed = 2 where order_id = $1", id);
        await Database.ExecuteAsync(
            "insert into step_runs (subject_id, step, status, attempts, own_status) values ($1, 'inventory', 4, 7, 4)",
            id
        );
        var answer = await SendAsync(HttpMethod.Post, $"/orders/{id}/cancel", Alice);
        Assert.That(answer.Body["status"]!.GetValue<string>(), Is.EqualTo("Cancelled"));
        Assert.That(answer.Body["steps"]![1]!["status"]!.GetValue<string>(), Is.EqualTo("Cancelled"));
        Assert.That(
            await Database.CountAsync("step_runs where subject_id = $1 and own_status is not null", id),
            Is.Zero,
            "steps on whose status another message decides"
        );
    }

    [Test]
    public async Task A_credit_note_can_be_fetched_once_it_is_rendered()
    {
        var id = await OrderAsync();
        Assert.That((await GetAsync($"/orders/{id}/credit-note.pdf")).Code, Is.EqualTo("credit-note-not-ready"));
        await Database.ExecuteAsync(
            "insert into credit_notes (order_id, number, pdf, sha256) values ($1, 7, 'the document', sha256('the document'))",
            id
        );
        var document = await GetAsync($"/orders/{id}/credit-note.pdf");
        Assert.That(
            (document.Status, document.ContentType, document.Text),
            Is.EqualTo((200, "application/pdf", "the document"))
        );
        Assert.That((await GetAsync($"/orders/{id}/credit-note.pdf", Bob)).Status, Is.EqualTo(404));
        Assert.That(
            (await GetAsync($"/orders/{id}")).Body["creditNote"]!["number"]!.GetValue<string>(),
            Is.EqualTo("CN-00000007")
        );
    }
}
