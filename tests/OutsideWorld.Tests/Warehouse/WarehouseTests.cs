using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Orders.OutsideWorld.Faults;

namespace Orders.OutsideWorld.Tests.Warehouse;

public sealed class WarehouseTests : OutsideWorldFixture
{
    private void Play(WarehouseMode mode, decimal share = 1, TimeSpan delay = default) =>
        World.Behaviour.Warehouse.Set(new FaultProfile<WarehouseMode>(mode, delay, share));

    private async Task<HttpStatusCode> CallAsync(string orderId, string key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/warehouse")
        {
            Content = JsonContent.Create(new { orderId, lines = Array.Empty<object>() }),
        };
        request.Headers.Add("Idempotency-Key", key);
        using var answer = await Http.SendAsync(request);
        return answer.StatusCode;
    }

    [Test]
    public async Task A_call_is_accepted_and_entered()
    {
        Assert.That(await CallAsync("order-1", "key-1"), Is.EqualTo(HttpStatusCode.OK));

        var call = (await CallsAsync("?orderId=order-1")).Single();
        Assert.Multiple(() =>
        {
            Assert.That(call.GetProperty("orderId").GetString(), Is.EqualTo("order-1"));
            Assert.That(call.GetProperty("idempotencyKey").GetString(), Is.EqualTo("key-1"));
            Assert.That(call.GetProperty("answer").GetInt32(), Is.EqualTo(200));
            Assert.That(call.GetProperty("repeats").GetInt32(), Is.Zero);
            Assert.That(
                call.GetProperty("receivedAt").GetDateTimeOffset(),
                Is.EqualTo(DateTimeOffset.UtcNow).Within(TimeSpan.FromMinutes(1))
            );
        });
    }

    [Test]
    public async Task A_recall_is_entered_as_one_and_refuses_a_pick_list_that_still_comes()
    {
        await CallAsync("order-1", "key-1");
        using var request = new HttpRequestMessage(HttpMethod.Post, "/warehouse")
        {
            Content = JsonContent.Create(new { orderId = "order-1", recall = true }),
        };
        request.Headers.Add("Idempotency-Key", "recall-order-1");
        using var answer = await Http.SendAsync(request);

        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        Assert.That(
            (await CallsAsync("?orderId=order-1")).Select(call => call.GetProperty("isRecall").GetBoolean()),
            Is.EqualTo(new[] { false, true })
        );
        Assert.That(
            await CallAsync("order-1", "key-1"),
            Is.EqualTo(HttpStatusCode.OK),
            "a repeat is answered as before"
        );
        Assert.That(
            await CallAsync("order-1", "key-2"),
            Is.EqualTo(HttpStatusCode.Gone),
            "a list of its own is refused"
        );
        Assert.That(await CallAsync("order-2", "key-3"), Is.EqualTo(HttpStatusCode.OK), "another order's is not");
    }

    [Test]
    public async Task A_repeated_key_is_answered_as_before_and_counted_on_its_entry()
    {
        var answers = new[]
        {
            await CallAsync("order-1", "key-1"),
            await CallAsync("order-1", "key-1"),
            await CallAsync("order-1", "key-1"),
        };

        Assert.That(answers, Is.All.EqualTo(HttpStatusCode.OK));
        Assert.That((await CallsAsync()).Single().GetProperty("repeats").GetInt32(), Is.EqualTo(2));
    }

    [Test]
    public async Task Twenty_calls_at_once_with_one_key_are_one_entry()
    {
        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => CallAsync("order-1", "key-1")));

        Assert.That(World.Warehouse.Calls.Single().Repeats, Is.EqualTo(19));
    }

    [Test]
    public async Task A_key_used_for_another_order_is_refused_and_has_no_effect()
    {
        await CallAsync("order-1", "key-1");

        Assert.That(await CallAsync("order-2", "key-1"), Is.EqualTo(HttpStatusCode.UnprocessableEntity));
        Assert.That(
            World.Warehouse.Calls.Select(call => (call.OrderId, call.Answer)),
            Is.EqualTo(new[] { ("order-1", 200), ("order-2", 422) })
        );
    }

    [TestCase(WarehouseMode.Error, 503)]
    [TestCase(WarehouseMode.Reject, 422)]
    [TestCase(WarehouseMode.InProgress, 409)]
    [TestCase(WarehouseMode.Conflict, 409)]
    [TestCase(WarehouseMode.RetryAfter, 429)]
    [TestCase(WarehouseMode.RetryDate, 503)]
    [TestCase(WarehouseMode.Gone, 410)]
    [TestCase(WarehouseMode.HalfEmoji, 422)]
    [TestCase(WarehouseMode.Huge, 422)]
    [TestCase(WarehouseMode.Latin1, 422)]
    public async Task A_failed_call_has_an_entry_of_its_own_and_its_key_may_come_again(WarehouseMode mode, int answer)
    {
        Play(mode, delay: TimeSpan.FromSeconds(2));
        Assert.That((int)await CallAsync("order-1", "key-1"), Is.EqualTo(answer));
        Play(WarehouseMode.Ok);
        Assert.That(await CallAsync("order-1", "key-1"), Is.EqualTo(HttpStatusCode.OK));

        Assert.That(World.Warehouse.Of("order-1").Select(call => call.Answer), Is.EqualTo(new[] { answer, 200 }));
    }

    [Test]
    public void Down_cuts_the_connection_and_accepts_nothing()
    {
        Play(WarehouseMode.Down);

        Assert.That(async () => await CallAsync("order-1", "key-1"), Throws.TypeOf<HttpRequestException>());
        Assert.That(World.Warehouse.Calls.Single(), Has.Property("Answer").Zero.And.Property("IsAccepted").False);
    }

    [Test]
    public async Task Vanish_accepts_the_call_cuts_the_connection_and_knows_the_key_when_it_comes_again()
    {
        Play(WarehouseMode.Vanish);
        Assert.That(async () => await CallAsync("order-1", "key-1"), Throws.TypeOf<HttpRequestException>());
        Play(WarehouseMode.Ok);
        Assert.That(await CallAsync("order-1", "key-1"), Is.EqualTo(HttpStatusCode.OK));

        Assert.That(
            World.Warehouse.Calls.Single(),
            Has.Property("Repeats").EqualTo(1).And.Property("Answer").EqualTo(200)
        );
    }

    [Test]
    public async Task Slow_records_the_call_at_once_and_answers_late()
    {
        var delay = TimeSpan.FromMilliseconds(400);
        Play(WarehouseMode.Slow, delay: delay);
        var watch = Stopwatch.StartNew();
        var calling = CallAsync("order-1", "key-1");

        Assert.That(() => World.Warehouse.Count, Is.EqualTo(1).After(60).Seconds.PollEvery(10).MilliSeconds);
        Assert.That(await calling, Is.EqualTo(HttpStatusCode.OK));
        // As in SmtpModesTests: a timer may end a fraction of a tick before the stopwatch.
        Assert.That(watch.Elapsed, Is.GreaterThan(delay - TimeSpan.FromMilliseconds(20)));
    }

    [Test]
    public async Task A_share_of_one_half_hits_every_second_call()
    {
        Play(WarehouseMode.Error, share: 0.5m);
        var answers = new List<int>();
        for (var i = 0; i < 4; i++)
            answers.Add((int)await CallAsync("order-1", $"key-{i}"));

        Assert.That(answers, Is.EqualTo(new[] { 200, 503, 200, 503 }));
    }

    [TestCase("""{"orderId":"order-1"}""", null, 400)]
    [TestCase("""{"orderId":"order-1"}""", "", 400)]
    [TestCase("""{"orderId":7}""", "key-1", 400)]
    [TestCase("""{"OrderId":"order-1"}""", "key-1", 400)]
    [TestCase("""{"orderId":"\ud800"}""", "key-1", 400)]
    [TestCase("[]", "key-1", 400)]
    [TestCase("", "key-1", 400)]
    public async Task A_call_without_key_or_order_is_refused_as_a_problem_and_entered(
        string body,
        string? key,
        int status
    )
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/warehouse")
        {
            Content = new StringContent(body, Encoding.UTF8, "application/json"),
        };
        if (key is not null)
            request.Headers.TryAddWithoutValidation("Idempotency-Key", key);
        using var answer = await Http.SendAsync(request);

        Assert.That((int)answer.StatusCode, Is.EqualTo(status));
        Assert.That(
            (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("detail").GetString(),
            Does.StartWith("expected ").And.Contain("; found ")
        );
        Assert.That(World.Warehouse.Calls.Single().Answer, Is.EqualTo(status));
    }

    [Test]
    public async Task A_body_beyond_64_KiB_is_refused()
    {
        using var answer = await Http.PostAsync("/warehouse", new ByteArrayContent(new byte[(64 * 1024) + 1]));

        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.RequestEntityTooLarge));
        Assert.That(World.Warehouse.Calls, Is.Empty);
    }

    [Test]
    public async Task DELETE_forgets_calls_and_keys()
    {
        await CallAsync("order-1", "key-1");
        using var answer = await Http.DeleteAsync("/warehouse");
        await CallAsync("order-2", "key-1");

        Assert.That(World.Warehouse.Calls.Select(call => call.OrderId), Is.EqualTo(new[] { "order-2" }));
    }
}
