using Npgsql;
using Orders.Infrastructure;
using Orders.Infrastructure.Deployment;
using Orders.Testing.Servers;
using QueueWorkers.DeadLetters;
using QueueWorkers.Deployment;
using QueueWorkers.Idempotency;

namespace Orders.Dashboard.Tests.Topology;

/// <summary>
/// Somebody deletes a queue, an exchange or a binding. No order suffers, each mail goes out once, and an operator is
/// told within seconds.
/// The dashboard has the rights of an installation.
/// </summary>
internal sealed class DeletedQueueTests : ShopFixture
{
    private const string Password = SharedLogins.Password;
    private const string Accepted = "Orders.Contracts:OrderAccepted";

    [OneTimeSetUp]
    public async Task WatchAsync()
    {
        await DeployCommand.RunAsync(
            TestSystem.Configuration(("DASHBOARD_DB_PASSWORD", Password), ("DASHBOARD_MQ_PASSWORD", Password)),
            TestSystem.Catalogue,
            _ => { },
            CancellationToken.None
        );
        var user = ProcessCredentials.UserOf("dashboard");
        await RestartDashboardAsync(
            (
                "ConnectionStrings:Postgres",
                new NpgsqlConnectionStringBuilder(TestSystem.Database.ConnectionString)
                {
                    Username = user,
                    Password = Password,
                }.ConnectionString
            ),
            ("RabbitMq:Username", user),
            ("RabbitMq:Password", Password),
            ("Topology:Check", "true")
        );
        await UntilSettledAsync("email");
    }

    [TearDown]
    public Task ForgetAsync() => TestSystem.Database.ExecuteAsync("delete from alerts");

    [Test]
    public async Task With_the_worker_stopped()
    {
        await using var others = await WorkAsync("inventory,invoice,warehouse");
        var before = await OrdersAsync(2);
        await PostAsync(others, before);
        // Published, and in the queue that is about to be deleted.
        await Eventually.That(() => TestSystem.Broker.CountAsync("email"), Is.EqualTo(2u), "messages of email");
        await TestSystem.Broker.DeleteQueueAsync("email");
        var after = await OrdersAsync(5);
        await PostAsync(others, after);
        await AlertedAsync("email", "Missing: the queue email");

        await using var email = await WorkAsync("email");
        await AllMailedOnceAsync([.. before, .. after]);
        await UntilSettledAsync("email");
        await Eventually.That(() => TestSystem.Broker.CountAsync("unrouted"), Is.Zero, "messages in unrouted");
    }

    // Found by ./dev chaos --seed 7: the confirmations were made again, the apologies were not.
    [Test]
    public async Task With_apologies_in_it()
    {
        await using var others = await WorkAsync("inventory,invoice,warehouse");
        var steps = await TestSystem.RequiredStepsAsync();
        Orders.Infrastructure.Intake.NewOrder[] orders =
        [
            .. Enumerable
                .Range(0, 3)
                .Select(_ => SampleOrders.New(steps, ("MUG-BLUE", 1_000_000), ("MUG-ENAMEL", 2_000_000)))
                .Select(o => o with { CustomerEmail = $"{o.Id:N}@example.com" }),
        ];
        await PostAsync(others, orders);
        await Eventually.That(
            () => TestSystem.Broker.CountAsync("email"),
            Is.EqualTo(6u),
            "confirmations and apologies in the queue"
        );
        await TestSystem.Broker.DeleteQueueAsync("email");
        await AlertedAsync("email", "Missing: the queue email");

        await using var email = await WorkAsync("email");
        foreach (var effect in (string[])["email", OrderEffects.Apology])
            await Eventually.That(
                () =>
                    TestSystem.Database.CountAsync(
                        $"effects where effect = $1 and state = {EffectState.Done:D} and subject_id = any($2)",
                        effect,
                        orders.Select(o => o.Id).ToArray()
                    ),
                Is.EqualTo(3L),
                $"{effect} by the books",
                TimeSpan.FromMinutes(3)
            );
        await UntilSettledAsync("email");
        await Eventually.That(() => TestSystem.Broker.CountAsync("email"), Is.Zero, "messages of email");
        var mails = await MailsAsync();
        Assert.That(
            orders.Select(o => mails.GetValueOrDefault(o.CustomerEmail)),
            Is.All.EqualTo(2),
            "mails by the mail server"
        );
    }

    [Test]
    public async Task With_the_worker_running()
    {
        await using var all = await WorkAsync("*");
        await Eventually.That(() => TestSystem.Broker.ConsumersAsync("email"), Is.EqualTo(1u), "consumers");
        var before = await LastAlertAsync("email");
        var orders = await OrdersAsync(5);
        await TestSystem.Broker.DeleteQueueAsync("email");
        await PostAsync(all, orders);
        await AllMailedOnceAsync(orders);
        await Eventually.That(
            () => LastAlertAsync("email"),
            NUnit.Framework.Is.Not.EqualTo(before),
            "alert about email",
            TimeSpan.FromMinutes(2)
        );
        await UntilSettledAsync("email");
    }

    [Test]
    public async Task Its_exchange_deleted()
    {
        await using var all = await WorkAsync("*");
        await TestSystem.Broker.DeleteExchangeAsync("email");
        var orders = await OrdersAsync(5);
        await PostAsync(all, orders);
        await AlertedAsync("email", "the binding");
        // Only who connects declares its exchange: a worker that is started again, or a deployment.
        await DeployCommand.RunAsync(
            TestSystem.Configuration(),
            TestSystem.Catalogue,
            _ => { },
            CancellationToken.None
        );
        await AllMailedOnceAsync(orders);
        await UntilSettledAsync("email");
    }

    [Test]
    public async Task Its_binding_to_the_messages_deleted()
    {
        await using var all = await WorkAsync("*");
        await UnbindAsync("email", Accepted);
        var orders = await OrdersAsync(5);
        await PostAsync(all, orders);
        await AllMailedOnceAsync(orders);
        await AlertedAsync("email", "cut off");
        await UntilSettledAsync("email");
    }

    [Test]
    public async Task The_queue_of_its_failures_deleted_with_the_failures_in_it()
    {
        var all = 3 + await DeadLettersAsync();
        await DeadLetterAsync(await TestSystem.StoreAsync(await OrdersAsync(3)));
        await Eventually.That(DeadLettersAsync, Is.EqualTo(all), "failures");
        await TestSystem.Broker.DeleteQueueAsync("email_error");
        await AlertedAsync("email_error", "email_error");
        await Eventually.That(() => CountOrNoneAsync("email_error"), Is.EqualTo((uint)all), "messages in email_error");
        Assert.That(await DeadLettersAsync(), Is.EqualTo(all), "failures");
    }

    [Test]
    public async Task A_retired_step_whose_queues_are_gone_does_not_keep_the_others_from_being_indexed()
    {
        await TestSystem.Database.ExecuteAsync(
            "insert into step_catalogue (step, bit, position, consumes, active) values ('retired', 1 << 20, -1, '{}', false)"
        );
        var known = await TestSystem.Database.CountAsync("failures");
        await DeadLetterAsync(await TestSystem.StoreAsync(await OrdersAsync(1)));
        await Eventually.That(() => TestSystem.Database.CountAsync("failures"), Is.EqualTo(known + 1), "failures");
    }

    [Test]
    public async Task A_policy_with_a_limit_raises_an_alert()
    {
        await TestSystem.Broker.SetPolicyAsync(
            "short",
            "^warehouse$",
            new Dictionary<string, object> { ["message-ttl"] = 60000 }
        );
        try
        {
            await AlertedAsync("warehouse", "message-ttl 60000", TimeSpan.FromMinutes(3));
        }
        finally
        {
            // The orders of the other tests go through this queue.
            await TestSystem.Broker.SetPolicyAsync("short", null);
        }
    }

    private Task<long> DeadLettersAsync() =>
        TestSystem.Database.CountAsync($"failures where state = {FailureState.Failed:D} and queue = 'email_error'");

    private async Task AllMailedOnceAsync(IEnumerable<Orders.Infrastructure.Intake.NewOrder> orders)
    {
        foreach (var order in orders)
            await TestSystem.UntilAsync(order.Id, OrderStatus.Completed, TimeSpan.FromMinutes(3));
        var ids = orders.Select(o => o.Id).ToArray();
        Assert.That(
            await TestSystem.Database.CountAsync(
                $"effects where effect = 'email' and state = {EffectState.Done:D} and subject_id = any($1)",
                ids
            ),
            Is.EqualTo(ids.Length),
            "mails by the books"
        );
        var mails = await MailsAsync();
        Assert.That(
            orders.Select(o => mails.GetValueOrDefault(o.CustomerEmail)),
            Is.All.EqualTo(1),
            "mails by the mail server"
        );
    }

    // The customers of other tests have had mails too.
    private new async Task<Orders.Infrastructure.Intake.NewOrder[]> OrdersAsync(int count) =>
        [.. (await base.OrdersAsync(count)).Select(o => o with { CustomerEmail = $"{o.Id:N}@example.com" })];

    private async Task<string> LastAlertAsync(string queue) =>
        await TestSystem.Database.ScalarAsync<string>(
            "select coalesce(max(says), '') from alerts where rule = 'topology' and subject = $1",
            queue
        );

    private Task<long> AlertedAsync(string queue, string says, TimeSpan? within = null) =>
        Eventually.That(
            () =>
                TestSystem.Database.CountAsync(
                    "alerts where rule = 'topology' and subject = $1 and fired_at is not null and says like '%' || $2 || '%'",
                    queue,
                    says
                ),
            Is.GreaterThanOrEqualTo(1L),
            $"alerts about {queue}",
            within ?? TimeSpan.FromMinutes(2)
        );

    private Task<bool> UntilSettledAsync(string queue) =>
        Eventually.That(
            () =>
                TestSystem.Broker.Management.HasBindingAsync(
                    TestSystem.Broker.Options.VirtualHost,
                    "queue-workers-topology",
                    queue,
                    $"{queue} settled",
                    default
                ),
            NUnit.Framework.Is.True,
            $"{queue} is settled"
        );

    private async Task UnbindAsync(string queue, string exchange)
    {
        await using var connection = await QueueWorkers
            .Messaging.BrokerConnection.CreateFactory(TestSystem.Broker.Options)
            .CreateConnectionAsync();
        await using var channel = await connection.CreateChannelAsync();
        await channel.ExchangeUnbindAsync(queue, exchange, "");
    }

    private async Task<uint> CountOrNoneAsync(string queue)
    {
        await using var connection = await QueueWorkers
            .Messaging.BrokerConnection.CreateFactory(TestSystem.Broker.Options)
            .CreateConnectionAsync();
        await using var channel = await connection.CreateChannelAsync();
        try
        {
            return (await channel.QueueDeclarePassiveAsync(queue)).MessageCount;
        }
        catch (RabbitMQ.Client.Exceptions.OperationInterruptedException)
        {
            return 0;
        }
    }
}
