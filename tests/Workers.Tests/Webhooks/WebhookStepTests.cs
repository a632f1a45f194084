using System.Text.Json.Nodes;
using Orders.Contracts;
using Orders.Infrastructure;
using Orders.Infrastructure.Webhooks;
using Orders.Testing;
using Orders.Workers.Webhooks;
using QueueWorkers.Clocks;
using QueueWorkers.Steps;

namespace Orders.Workers.Tests.Webhooks;

/// <summary>Deliveries to servers of clients, over real HTTP, by a process with the rights of that step.</summary>
[NonParallelizable]
public sealed class WebhookStepTests : InstallationFixture
{
    private Receiver _receiver = null!;

    // The longest time limit: calls are held until all others have come.
    [OneTimeSetUp]
    public Task Start() =>
        StartAsync("webhook", ("Webhooks:AllowedNetworks", "127.0.0.1/32"), ("Webhooks:Timeout", "00:00:15"));

    [SetUp]
    public async Task OpenAddress() => _receiver = await Receiver.StartAsync();

    [TearDown]
    public ValueTask CloseAddress() => _receiver.DisposeAsync();

    [Test]
    public async Task An_event_comes_signed_with_its_order_and_nothing_personal()
    {
        var (webhook, secret) = await RegisterAsync(_receiver.Url);
        var (order, delivery) = await DueAsync(webhook);
        await TestSystem.UntilAsync(delivery, "webhook", StepStatus.Done);

        var received = _receiver.Received.Single();
        var number = OrderNumber.Format(
            await TestSystem.Database.ScalarAsync<long>("select number from orders where id = $1", order)
        );
        var at = await TestSystem.Database.ScalarAsync<DateTime>(
            "select at from webhook_deliveries where id = $1",
            delivery
        );
        Assert.That(received.Request, Is.EqualTo("POST /events?shop=7"));
        Assert.That(received.Headers["content-type"], Is.EqualTo("application/json; charset=utf-8"));
        Assert.That(received.Headers, Does.Not.ContainKey("traceparent"));
        Assert.That(received.Id, Is.EqualTo(delivery.ToString()));
        Assert.That(received.IsSignedWith(secret), "signed");
        Assert.That(
            JsonNode.DeepEquals(
                JsonNode.Parse(received.Body),
                new JsonObject
                {
                    ["type"] = "order.completed",
                    ["timestamp"] = at.ToString(
                        "yyyy-MM-ddTHH:mm:ss.ffffffZ",
                        System.Globalization.CultureInfo.InvariantCulture
                    ),
                    ["data"] = new JsonObject
                    {
                        ["webhookId"] = webhook,
                        ["orderId"] = order,
                        ["number"] = number,
                        ["status"] = "Completed",
                    },
                }
            ),
            received.Body
        );
    }

    [Test]
    public async Task Both_secrets_sign_after_a_rotation_until_the_old_one_ends()
    {
        var (webhook, old) = await RegisterAsync(_receiver.Url);
        var secret = WebhookSecret.New();
        await TestSystem.Database.ExecuteAsync(
            "update webhooks set secret = $2, previous_until = now() + interval '1 hour' where id = $1",
            webhook,
            secret
        );
        await TestSystem.UntilAsync((await DueAsync(webhook)).Delivery, "webhook", StepStatus.Done);
        await TestSystem.Database.ExecuteAsync("update webhooks set previous_until = now() where id = $1", webhook);
        await TestSystem.UntilAsync((await DueAsync(webhook)).Delivery, "webhook", StepStatus.Done);

        Assert.That(
            _receiver.Received.Select(r => (r.IsSignedWith(secret), r.IsSignedWith(old))),
            Is.EqualTo(new[] { (true, true), (true, false) })
        );
    }

    [Test]
    public async Task A_delivery_that_is_refused_comes_again_with_the_same_id_and_body()
    {
        var (webhook, _) = await RegisterAsync(_receiver.Url);
        _receiver.Answer = context =>
            (_receiver.Received.Count == 1 ? Receiver.Status(401, "who is there?") : Receiver.NoContent)(context);
        var (_, delivery) = await DueAsync(webhook);
        await UntilInTheEndAsync(delivery, "webhook", StepStatus.Done);

        Assert.That(
            await TestSystem.Database.ScalarAsync<string>(
                "select fault from step_attempts where subject_id = $1 and step = 'webhook'",
                delivery
            ),
            Does.Contain($"Expected 2xx from {_receiver.Url.Authority}, found 401 who is there?")
        );
        var received = _receiver.Received;
        Assert.That(received.Select(r => r.Id).Distinct(), Is.EqualTo(new[] { delivery.ToString() }));
        Assert.That(received.Select(r => r.Body).Distinct().Count(), Is.EqualTo(1), "different bodies");
        Assert.That(await TestSystem.AttemptsAsync(delivery, "webhook"), Is.EqualTo(2));
    }

    [Test]
    public async Task An_address_that_hangs_holds_up_nobody_else()
    {
        await using var slow = await Receiver.StartAsync();
        using var end = new CancellationTokenSource();
        slow.Answer = context => Task.Delay(Timeout.InfiniteTimeSpan, end.Token);
        var (hanging, _) = await RegisterAsync(slow.Url, "hanging");
        var (well, _) = await RegisterAsync(_receiver.Url);
        var order = await TestSystem.StoreAsync();
        // Their rows first: the calls hang no longer than their time limit, and a busy machine writes slowly.
        var many = new Guid[2 * WebhookStep.Policy.Concurrency];
        for (var i = 0; i < many.Length; i++)
            many[i] = await RecordAsync(hanging, order);
        var delivery = await RecordAsync(well, order);
        await Task.WhenAll(many.Select(TellAsync));
        await Eventually.That(() => slow.Received, Has.Count.EqualTo(5), "calls that hang at the same time");
        await TellAsync(delivery);

        await TestSystem.UntilAsync(delivery, "webhook", StepStatus.Done);
        Assert.That(_receiver.Received, Has.Count.EqualTo(1));
        Assert.That(slow.Received, Has.Count.EqualTo(5), "calls to the address that hangs");
        await end.CancelAsync();
        await TestSystem.Database.ExecuteAsync("delete from webhooks where id = $1", hanging);
    }

    // As after a redrive, a pause, or a queue that was filled again.
    [Test]
    public async Task Events_of_days_ago_are_all_delivered_however_many_come_at_once()
    {
        var (webhook, _) = await RegisterAsync(_receiver.Url);
        var open = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _receiver.Answer = async context =>
        {
            await open.Task;
            await Receiver.NoContent(context);
        };
        var order = await TestSystem.StoreAsync();
        var deliveries = new Guid[10];
        for (var i = 0; i < deliveries.Length; i++)
            deliveries[i] = await RecordAsync(webhook, order, age: TimeSpan.FromDays(2));
        await Task.WhenAll(deliveries.Select(TellAsync));
        await Eventually.That(
            () =>
                TestSystem.Database.CountAsync(
                    "step_runs where subject_id = any ($1) and last_fault like '%of this web hook%'",
                    deliveries
                ),
            Is.EqualTo(5),
            "deliveries that found no place"
        );
        open.SetResult();

        await TestSystem.EventuallyFastForwardingAsync(
            () =>
                TestSystem.Database.CountAsync(
                    $"step_runs where subject_id = any ($1) and status = {StepStatus.Done:D}",
                    deliveries
                ),
            Is.EqualTo(deliveries.Length),
            "deliveries that are done"
        );
        Assert.That(_receiver.Received.Select(r => Guid.Parse(r.Id)).Distinct(), Is.EquivalentTo(deliveries));
    }

    [TestCase(302, "a redirect (302), which is never followed")]
    [TestCase(410, "wants no more deliveries")]
    public async Task Some_answers_are_final(int status, string saying)
    {
        await using var elsewhere = await Receiver.StartAsync();
        var (webhook, _) = await RegisterAsync(_receiver.Url);
        _receiver.Answer = context =>
        {
            context.Response.Headers.Location = elsewhere.Url.ToString();
            return Receiver.Status(status)(context);
        };
        var (_, delivery) = await DueAsync(webhook);

        await TestSystem.UntilAsync(delivery, "webhook", StepStatus.Failed);
        Assert.That(await TestSystem.LastFaultAsync(delivery, "webhook"), Does.Contain(saying));
        Assert.That(
            await TestSystem.Database.CountAsync("failures where subject_id = $1 and step = 'webhook'", delivery),
            Is.EqualTo(1),
            "failures that an operator sees and can redrive"
        );
        Assert.That(elsewhere.Received, Is.Empty);
    }

    [Test]
    public async Task An_endless_answer_is_cut_off()
    {
        var (webhook, _) = await RegisterAsync(_receiver.Url);
        _receiver.Answer = async context =>
        {
            context.Response.StatusCode = 500;
            var line = new byte[1024];
            Array.Fill(line, (byte)'x');
            while (!context.RequestAborted.IsCancellationRequested)
                await context.Response.Body.WriteAsync(line, context.RequestAborted);
        };
        var (_, delivery) = await DueAsync(webhook);

        await TestSystem.UntilAsync(delivery, "webhook", StepStatus.Retrying);
        Assert.That(
            await TestSystem.LastFaultAsync(delivery, "webhook"),
            Does.Contain("found 500 xxx").And.Length.LessThan(400)
        );
        await TestSystem.Database.ExecuteAsync("delete from webhooks where id = $1", webhook);
    }

    // Where the process may not connect to; a server listens there.
    [TestCase("http://127.0.0.2:{0}/")]
    [TestCase("http://[::ffff:127.0.0.2]:{0}/")]
    [TestCase("http://0177.0.0.2:{0}/")]
    [TestCase("http://0.0.0.0:{0}/")]
    [TestCase("http://[::1]:{0}/")]
    [TestCase("http://169.254.169.254/latest/meta-data/")]
    public async Task Private_addresses_are_not_called(string url)
    {
        var (webhook, _) = await RegisterAsync(
            new Uri(string.Format(System.Globalization.CultureInfo.InvariantCulture, url, _receiver.Url.Port))
        );
        var (_, delivery) = await DueAsync(webhook);

        await TestSystem.UntilAsync(delivery, "webhook", StepStatus.Failed);
        Assert.That(await TestSystem.LastFaultAsync(delivery, "webhook"), Does.Contain("has no public address"));
        Assert.That(_receiver.Received, Is.Empty);
    }

    [Test]
    public async Task What_was_removed_is_not_called_and_its_deliveries_end()
    {
        var (webhook, _) = await RegisterAsync(_receiver.Url);
        await TestSystem.Database.ExecuteAsync("delete from webhooks where id = $1", webhook);
        var (_, delivery) = await DueAsync(webhook);

        await TestSystem.UntilAsync(delivery, "webhook", StepStatus.Rejected);
        Assert.That(_receiver.Received, Is.Empty);
    }

    [Test]
    public async Task A_delivery_that_was_made_is_not_made_again_by_a_message_of_another_id()
    {
        var (webhook, _) = await RegisterAsync(_receiver.Url);
        var (_, delivery) = await DueAsync(webhook);
        await TestSystem.UntilAsync(delivery, "webhook", StepStatus.Done);
        await DeliverAsync("webhook", delivery, new WebhookDue(delivery, DateTimeOffset.UtcNow));
        var (_, next) = await DueAsync(webhook);
        await TestSystem.UntilAsync(next, "webhook", StepStatus.Done);
        await Eventually.That(() => TestSystem.Broker.CountAsync("webhook"), Is.Zero, "messages that wait");

        Assert.That(_receiver.Received.Select(r => r.Id), Is.EqualTo(new[] { $"{delivery}", $"{next}" }));
    }

    private async Task<(Guid Id, byte[] Secret)> RegisterAsync(Uri url, string client = "tests")
    {
        var (id, secret) = (DatabaseClock.NewId(), WebhookSecret.New());
        await TestSystem.Database.ExecuteAsync(
            "insert into webhooks (id, client_id, url, events, secret) values ($1, $2, $3, '{order.completed}', $4) on conflict (client_id, url) do update set id = excluded.id, secret = excluded.secret",
            id,
            client,
            url.OriginalString,
            secret
        );
        return (id, secret);
    }

    private async Task<(Guid Order, Guid Delivery)> DueAsync(Guid webhook)
    {
        var order = await TestSystem.StoreAsync();
        var delivery = await RecordAsync(webhook, order);
        await TellAsync(delivery);
        return (order, delivery);
    }

    private async Task<Guid> RecordAsync(Guid webhook, Guid order, TimeSpan age = default)
    {
        var delivery = DatabaseClock.NewId();
        await TestSystem.Database.ExecuteAsync(
            "insert into webhook_deliveries (id, webhook_id, order_id, event, at) values ($1, $2, $3, 'order.completed', now() - $4)",
            delivery,
            webhook,
            order,
            age
        );
        return delivery;
    }

    private Task TellAsync(Guid delivery) =>
        DeliverAsync("webhook", delivery, new WebhookDue(delivery, DateTimeOffset.UtcNow));
}
