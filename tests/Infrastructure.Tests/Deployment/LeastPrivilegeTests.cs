using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Orders.Infrastructure.Cancelling;
using Orders.Infrastructure.Deployment;
using Orders.Infrastructure.Intake;
using Orders.Infrastructure.Tests.FifthStep;
using Orders.Infrastructure.Webhooks;
using Orders.Testing;
using Orders.Testing.Servers;
using Orders.Testing.Zoo;
using QueueWorkers.Deployment;
using QueueWorkers.Outbox.Relaying;
using QueueWorkers.Steps;

namespace Orders.Infrastructure.Tests.Deployment;

/// <summary>Each process has a user of its own that can do what the process does, and nothing else.</summary>
public sealed class LeastPrivilegeTests : SystemFixture
{
    private const string Password = SharedLogins.Password;

    private static readonly string[] Kinds = ["DB", "MQ"];

    // With a step that consumes what the API publishes.
    protected override StepCatalogue Catalogue => ZooCatalogue.Of().Add<LoyaltyStep>();

    [OneTimeSetUp]
    public Task DeployUsers()
    {
        var passwords = TestSystem
            .Catalogue.Steps.Select(s => s.Name)
            .Append("api")
            .Append("dashboard")
            .SelectMany(p => Kinds.Select(kind => ($"{p.ToUpperInvariant()}_{kind}_PASSWORD", (string?)Password)));
        return DeployCommand.RunAsync(
            TestSystem.Configuration(passwords),
            TestSystem.Catalogue,
            _ => { },
            CancellationToken.None
        );
    }

    [Test]
    public async Task A_worker_can_run_its_step_from_the_first_attempt_to_the_last()
    {
        var script = new StepScript();
        await using var host = await TestSystem.StartAsync(
            [.. TestSystem.Catalogue.Choose("mother").Select(script.In)],
            null,
            UserOf("mother")
        );
        var born = await TestSystem.Broker.ListenAsync<Born>();
        var (good, bad) = (Guid.NewGuid(), Guid.NewGuid());
        script.For(bad, (_, _) => throw new InvalidOperationException("Never."));
        await TestSystem.Broker.PublishToAsync("mother", new Feed(good));
        await TestSystem.Broker.PublishToAsync("mother", new Feed(bad));
        await TestSystem.Broker.PublishBytesAsync("mother", "{ this is no message"u8.ToArray(), new ByHand());

        await TestSystem.UntilAsync(good, "mother", StepStatus.Done);
        await TestSystem.UntilAsync(bad, "mother", StepStatus.Failed);
        await UntilArrivedAsync(born, 1);
        await Eventually.That(
            () => TestSystem.Broker.CountAsync("mother_error"),
            Is.EqualTo(2u),
            "dead-lettered messages: the one that always fails and the one that cannot be read"
        );
    }

    [Test]
    public async Task The_API_can_store_an_order_and_send_its_message()
    {
        var accepted = await TestSystem.Broker.ListenAsync<Contracts.OrderAccepted>();
        await using var host = await TestSystem.StartAsync("", null, UserOf("api"));
        var intake = (OrderIntake)host.Services.GetService(typeof(OrderIntake))!;
        var result = await intake.AcceptAsync(
            SampleOrders.New(1) with
            {
                IdempotencyKey = "key-of-a-client",
                BodyHash = [1],
            }
        );

        Assert.That(result.Outcome, Is.EqualTo(IntakeOutcome.Accepted));
        await UntilArrivedAsync(accepted, 1);
    }

    [Test]
    public async Task The_API_manages_web_hooks_and_a_worker_tells_them_without_reading_secrets()
    {
        await using var api = await TestSystem.StartAsync("", null, UserOf("api"));
        var registry = new WebhookRegistry(
            api.Services.GetRequiredService<NpgsqlDataSource>(),
            api.Services.GetRequiredService<RelayFeed>()
        );
        var (webhook, _) = await registry.AddAsync(
            "tests",
            new Uri("https://shop.example/"),
            [.. WebhookEvents.All],
            WebhookSecret.New(),
            default
        );
        await registry.RotateAsync("tests", webhook!.Id, WebhookSecret.New(), TimeSpan.FromHours(1), default);
        Assert.That(
            await TestSystem.Database.CountAsync("webhooks where previous_secret is not null"),
            Is.EqualTo(1),
            "the secret before"
        );
        Assert.That(await registry.TestAsync("tests", webhook.Id, default), Is.Not.Null);
        Assert.That(await registry.ListAsync("tests", default), Has.Count.EqualTo(1));

        await using var host = await TestSystem.StartAsync("mother", null, UserOf("mother"));
        var bit = await TestSystem.Database.ScalarAsync<int>("select bit from step_catalogue where step = 'mother'");
        var orders = await TestSystem.StoreAsync([SampleOrders.New(bit), SampleOrders.New(bit)]);
        await TestSystem.Broker.PublishToAsync("mother", new Feed(orders[0]));
        await TestSystem.UntilAsync(orders[0], OrderStatus.Completed);
        await api.Services.GetRequiredService<OrderCancellation>().CancelAsync(orders[1], "tests", default);
        Assert.That(
            await TestSystem.Database.RowsAsync("select order_id, event from webhook_deliveries order by event"),
            Is.EqualTo(
                new object?[][]
                {
                    [orders[1], "order.cancelled"],
                    [orders[0], "order.completed"],
                    [null, "webhook.test"],
                }
            )
        );
        Assert.That(await registry.RemoveAsync("tests", webhook.Id, default));
    }

    [TestCase("api", "select secret from webhooks")]
    [TestCase("hurried", "select secret from webhooks")]
    [TestCase("hurried", "select url from webhooks")]
    [TestCase("dashboard", "select previous_secret from webhooks")]
    [TestCase("api", "delete from orders")]
    [TestCase("api", "update orders set total = 0")]
    [TestCase("api", "update order_lines set unit_price = 0")]
    [TestCase("api", "delete from order_progress")]
    [TestCase(
        "api",
        "insert into step_runs (subject_id, step, status, attempts) values (gen_random_uuid(), 'x', 2, 1)"
    )]
    [TestCase("api", "update effects set state = null")]
    [TestCase("api", "update stock set on_hand = 1")]
    [TestCase("api", "update catalogue set price_eur = 0")]
    [TestCase("api", "delete from invoices")]
    [TestCase("api", "update api_keys set revoked_at = null")]
    [TestCase("api", "update step_catalogue set active = false")]
    [TestCase("api", "select * from idempotency")]
    [TestCase("api", "create table mine (id integer)")]
    [TestCase("hurried", "select * from orders")]
    [TestCase("hurried", "select * from order_lines")]
    [TestCase("hurried", "select * from api_keys")]
    [TestCase("hurried", "select * from posted_keys")]
    [TestCase("hurried", "select * from invoices")]
    [TestCase("hurried", "update stock set on_hand = 1")]
    [TestCase(
        "hurried",
        "insert into stock_movements (order_id, sku, quantity) values (gen_random_uuid(), 'MUG-BLUE', 1)"
    )]
    [TestCase("hurried", "delete from order_progress")]
    [TestCase(
        "hurried",
        "insert into order_progress (order_id, required, done, failed) values (gen_random_uuid(), 1, 0, 0)"
    )]
    [TestCase("hurried", "delete from step_runs")]
    [TestCase("hurried", "update step_catalogue set active = false")]
    [TestCase("hurried", "truncate outbox")]
    [TestCase("hurried", "drop table effects")]
    [TestCase("hurried", "create table mine (id integer)")]
    [TestCase("hurried", "alter role orders_api superuser")]
    [TestCase("hurried", "set role orders_api")]
    [TestCase("api", "select * from operators")]
    [TestCase("hurried", "insert into audit (who, role, action, result) values ('me', 'Admin', 'nothing', 'done')")]
    [TestCase("dashboard", "update orders set total = 0")]
    [TestCase("dashboard", "delete from audit")]
    [TestCase("dashboard", "update audit set who = 'nobody'")]
    [TestCase("dashboard", "delete from effects")]
    [TestCase("dashboard", "insert into operators (name, role) values ('me', 2)")]
    [TestCase("dashboard", "select * from api_keys")]
    [TestCase("dashboard", "delete from failures")]
    [TestCase("dashboard", "delete from redrives")]
    [TestCase("dashboard", "delete from bulk_actions")]
    [TestCase("dashboard", "delete from bulk_items")]
    [TestCase("hurried", "update bulk_actions set total = 0")]
    [TestCase("api", "select * from bulk_items")]
    [TestCase("dashboard", "update idempotency set step = 'x'")]
    [TestCase("dashboard", "update effects set message_id = gen_random_uuid()")]
    [TestCase(
        "dashboard",
        "insert into effects (subject_id, effect, message_id, step, state) values (gen_random_uuid(), 'x', gen_random_uuid(), 'x', 2)"
    )]
    [TestCase("dashboard", "update invoices set number = 1")]
    [TestCase("hurried", "update redrives set rate_per_second = 1000")]
    [TestCase("hurried", "update redrive_items set state = null")]
    [TestCase("api", "select * from failures")]
    [TestCase("dashboard", "create table mine (id integer)")]
    [TestCase("dashboard", "update operators set role = 2")]
    [TestCase("dashboard", "update operators set password_hash = ''")]
    [TestCase("dashboard", "update operators set version = 7")]
    [TestCase("dashboard", "update operators set external_id = 'me'")]
    [TestCase("dashboard", "update operator_keys set revoked_at = null")]
    [TestCase(
        "dashboard",
        "insert into operator_keys (id, name, hash, hint) values (gen_random_uuid(), 'admin', sha256('mine'), 'op_mine')"
    )]
    [TestCase("dashboard", "delete from operator_keys")]
    [TestCase("dashboard", "delete from operators")]
    [TestCase(
        "dashboard",
        "insert into operator_sessions (hash, name, expires_at, idle_until, external) values (sha256('mine'), 'admin', now(), now(), false)"
    )]
    [TestCase("dashboard", "update operator_sessions set expires_at = now() + interval '1 year'")]
    [TestCase("dashboard", "update operator_sessions set name = 'admin'")]
    [TestCase("dashboard", "select hash from api_keys")]
    [TestCase("dashboard", "update api_keys set revoked_at = null")]
    [TestCase(
        "dashboard",
        "insert into api_keys (id, client_id, hash, scopes) values (gen_random_uuid(), 'x', '', '{}')"
    )]
    [TestCase("dashboard", "select operator_acting('', true)")]
    [TestCase("dashboard", "select operator_record('anna', 'nothing', 'nobody', 'to see')")]
    [TestCase("api", "select operator_create('', 'to see', 'me', 2::smallint, null)")]
    [TestCase("api", "select api_key_revoke('', 'to see', gen_random_uuid())")]
    [TestCase("hurried", "select operator_session_begin('anna', '', '', interval '1 h', interval '1 h')")]
    [TestCase("dashboard", "update operators set disabled_at = null")]
    [TestCase("dashboard", "update alert_rules set name = 'mine'")]
    [TestCase("dashboard", "create temporary table mine (id integer)")]
    [TestCase("api", "create temporary table mine (id integer)")]
    [TestCase("hurried", "create temporary table mine (id integer)")]
    [TestCase("dashboard", "update orders set customer_email = 'me@example.com'")]
    [TestCase("dashboard", "update orders set ship_line1 = 'my street'")]
    [TestCase("dashboard", "update invoices set pdf = null")]
    [TestCase("dashboard", "update step_attempts set fault = ''")]
    [TestCase("dashboard", "delete from erasures")]
    [TestCase("dashboard", "update erasures set person_hash = ''")]
    [TestCase("dashboard", "select erase_invoices('1 day', 1)")]
    [TestCase("api", "select erase_orders('{}')")]
    [TestCase("api", "select erase_subjects('{}', '{}')")]
    [TestCase("hurried", "select erase_orders('{}')")]
    [TestCase("hurried", "select erase_posted_keys('{}')")]
    public async Task A_database_role_is_refused_what_its_process_does_not_do(string process, string sql)
    {
        await using var connection = new NpgsqlConnection(ConnectionStringOf(process));
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        var refused = Assert.ThrowsAsync<PostgresException>(() => command.ExecuteNonQueryAsync());
        // A command such as DROP is refused to all but the owner.
        Assert.That(refused.SqlState, Is.EqualTo(PostgresErrorCodes.InsufficientPrivilege));
    }

    [TestCase("api", "hurried")]
    [TestCase("api", "hurried_error")]
    [TestCase("api", "unrouted")]
    [TestCase("hurried", "patient")]
    [TestCase("hurried", "patient_error")]
    [TestCase("hurried", "unrouted")]
    [TestCase("dashboard", "hurried")]
    public Task A_broker_user_cannot_read_a_queue_of_somebody_else(string process, string queue) =>
        RefusedAsync(process, channel => channel.BasicGetAsync(queue, autoAck: false));

    [TestCase("api", "hurried_error")]
    [TestCase("hurried", "patient_error")]
    [TestCase("hurried", "patient_skipped")]
    [TestCase("hurried", "unrouted")]
    [TestCase("hurried", "amq.fanout")]
    public Task A_broker_user_cannot_write_where_only_others_write(string process, string exchange) =>
        RefusedAsync(
            process,
            async channel =>
                await channel.BasicPublishAsync(
                    exchange,
                    "",
                    mandatory: true,
                    new RabbitMQ.Client.BasicProperties(),
                    new byte[1]
                )
        );

    [TestCase("api", "mine")]
    [TestCase("hurried", "mine")]
    [TestCase("hurried", "patient2")]
    [TestCase("dashboard", "mine")]
    public Task A_broker_user_cannot_declare_a_queue_of_another_name(string process, string queue) =>
        RefusedAsync(
            process,
            channel => channel.QueueDeclareAsync(queue, durable: true, exclusive: false, autoDelete: false)
        );

    [TestCase("api", "hurried")]
    [TestCase("hurried", "patient")]
    [TestCase("dashboard", "hurried")]
    public Task A_broker_user_cannot_remove_a_queue_of_somebody_else(string process, string queue) =>
        RefusedAsync(process, channel => channel.QueueDeleteAsync(queue, ifUnused: false, ifEmpty: false));

    private async Task RefusedAsync(string process, Func<RabbitMQ.Client.IChannel, Task> action)
    {
        var options = TestSystem.Broker.Options with
        {
            Username = ProcessCredentials.UserOf(process),
            Password = Password,
        };
        await using var connection = await QueueWorkers
            .Messaging.BrokerConnection.CreateFactory(options)
            .CreateConnectionAsync();
        await using var channel = await connection.CreateChannelAsync(
            new RabbitMQ.Client.CreateChannelOptions(true, true, null)
        );
        var refused = Assert.CatchAsync<RabbitMQ.Client.Exceptions.OperationInterruptedException>(() =>
            action(channel)
        );
        Assert.That(refused.ShutdownReason?.ReplyCode, Is.EqualTo(RabbitMQ.Client.Constants.AccessRefused));
    }

    private IEnumerable<(string Name, string? Value)> UserOf(string process) =>
        [
            (
                "ConnectionStrings:Postgres",
                new NpgsqlConnectionStringBuilder(TestSystem.Database.ConnectionString)
                {
                    Username = ProcessCredentials.UserOf(process),
                    Password = "replaced",
                }.ConnectionString
            ),
            ("Database:Password", Password),
            ("RabbitMq:Username", ProcessCredentials.UserOf(process)),
            ("RabbitMq:Password", Password),
        ];

    private string ConnectionStringOf(string process) =>
        new NpgsqlConnectionStringBuilder(TestSystem.Database.ConnectionString)
        {
            Username = ProcessCredentials.UserOf(process),
            Password = Password,
        }.ConnectionString;
}
