using System.Collections.Concurrent;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Orders.Infrastructure.Deployment;
using Orders.Infrastructure.Tests.FifthStep;
using Orders.Testing;
using Orders.Testing.Servers;
using QueueWorkers.Deployment;
using QueueWorkers.Hosting;
using QueueWorkers.Messaging;
using QueueWorkers.Steps;

namespace Orders.Infrastructure.Tests.Deployment;

/// <summary>
/// A deployment while processes work: they see the version of before or this one, and nothing in between.
/// </summary>
public sealed class DeployWhileRunningTests : SystemFixture
{
    private const string Password = SharedLogins.Password;
    private const string OldBuild = "0.0.1 a worker of yesterday";

    private static readonly StepCatalogue First = new StepCatalogue()
        .Add<LoyaltyStep>()
        .Add<LodgerStep>()
        .PublishesEvent<PointsEarned>();

    private static readonly StepCatalogue Second = new StepCatalogue()
        .Add<LoyaltyStep>()
        .Add<GiftStep>()
        .Add<NewLodgerStep>()
        .PublishesEvent<PointsEarned>();

    // What a process does all the time, so that each right is asked for; none changes a row.
    private static readonly string[] OfTheApi =
    [
        "select from orders limit 1",
        "insert into order_progress (order_id, required, done, failed) select gen_random_uuid(), 1, 0, 0 where false",
        "delete from outbox where false",
        "select from api_keys limit 1",
        "select nextval('order_number')",
    ];

    private static readonly string[] OfAWorker =
    [
        "update step_runs set attempts = attempts where false",
        "update order_progress set done = done where false",
        "delete from outbox where false",
        "select id, created_at from orders limit 1",
        "select from step_catalogue limit 1",
    ];

    private static readonly string[] Processes = ["api", "loyalty", "lodger", "gift", "broken"];
    private static readonly string[] Kinds = ["DB", "MQ"];

    private Func<IEnumerable<string>> _logged = () => [];

    protected override StepCatalogue Catalogue => First;

    [SetUp]
    public Task DeployTheFirst() => DeployAsync(First);

    [Test]
    public async Task Processes_lack_no_right_and_see_no_incomplete_set_of_steps()
    {
        var first = await TestSystem.RequiredStepsAsync();
        await DeployAsync(Second);
        var second = await TestSystem.RequiredStepsAsync();
        var (refused, seen) = (new ConcurrentBag<string>(), new ConcurrentDictionary<int, int>());
        using var enough = new CancellationTokenSource();
        Task[] processes =
        [
            WorkAsync("api", OfTheApi, refused, enough.Token),
            WorkAsync("loyalty", OfAWorker, refused, enough.Token),
            ReadStepsAsync(seen, enough.Token),
        ];
        for (var round = 0; round < 6; round++)
            await DeployAsync(round % 2 == 0 ? First : Second);
        await enough.CancelAsync();
        await Task.WhenAll(processes);

        Assert.Multiple(() =>
        {
            Assert.That(refused, Is.Empty, "statements that were refused");
            Assert.That(seen.Keys, Is.EquivalentTo(new[] { first, second }), "sets of required steps that were seen");
        });
    }

    [Test]
    public async Task A_step_is_required_only_when_its_queue_is_bound()
    {
        var published = Task.Run(async () =>
        {
            await Eventually.That(
                () => TestSystem.Database.CountAsync("step_catalogue where step = 'gift' and active"),
                Is.EqualTo(1),
                "steps that are required from now on",
                TimeSpan.FromMinutes(2)
            );
            await TestSystem.Broker.PublishAsync(
                new Contracts.OrderAccepted(Guid.NewGuid(), Premium: false, DateTimeOffset.UtcNow)
            );
        });
        await using (var connection = await ConnectAsBrokerAsync())
        await using (var channel = await connection.CreateChannelAsync())
            await channel.QueueDeleteAsync("gift", ifUnused: false, ifEmpty: false);
        await DeployAsync(Second);

        await published;
        await Eventually.That(
            () => TestSystem.Broker.CountAsync("gift"),
            Is.EqualTo(1u),
            "messages of the order that was accepted as soon as the step was required"
        );
    }

    [Test]
    public async Task Deploying_the_same_version_again_touches_no_row_and_no_right()
    {
        const string Written = """
            select (select string_agg(xmin::text, ',' order by step) from step_catalogue) || ' '
                || (select string_agg(xmin::text, ',' order by oid) from pg_class where relnamespace = 'public'::regnamespace
                    and relkind in ('r', 'S')) || ' '
                || (select string_agg(xmin::text, ',') from pg_authid where rolname = 'orders_lodger') || ' '
                || (select string_agg(xmin::text, ',') from pg_db_role_setting
                    where setdatabase = (select oid from pg_database where datname = current_database()))
            """;
        // The first one behind another version still takes the rights of retired steps away.
        await DeployAsync(First);
        var before = await TestSystem.Database.ScalarAsync<string>(Written);
        await DeployAsync(First);

        Assert.That(await TestSystem.Database.ScalarAsync<string>(Written), Is.EqualTo(before), "versions of rows");
    }

    [Test]
    public async Task Rights_of_an_old_build_stay_while_one_of_its_sessions_is_open()
    {
        await using (var old = new NpgsqlConnection(ConnectionStringOf("lodger", OldBuild)))
        {
            await old.OpenAsync();
            await DeployAsync(Second);
            await ReadStockAsync(old);
            Assert.That(
                Lines(3006),
                Has.One.Contains("orders_lodger").And.Contains("SELECT on stock").And.Contains(OldBuild)
            );
        }

        await UntilNobodyIsConnectedAsync();
        await DeployAsync(Second);
        Assert.That(Lines(3003), Has.Some.Contains("orders_lodger").And.Contains("SELECT on stock"));
        await using var late = new NpgsqlConnection(ConnectionStringOf("lodger", OldBuild));
        await late.OpenAsync();
        Assert.That(
            Assert.ThrowsAsync<PostgresException>(() => ReadStockAsync(late)).SqlState,
            Is.EqualTo(PostgresErrorCodes.InsufficientPrivilege)
        );
    }

    [Test]
    public async Task Rights_of_an_old_build_stay_while_a_worker_of_it_reports_itself()
    {
        await TestSystem.Database.ExecuteAsync(
            """
            insert into workers (id, host, process_id, version, steps, running, started_at, runs, max_connections,
                last_seen_at)
            values ($1, 'here', 1, '0.0.1', array['lodger'], 0, now(), '[]', 1, now() + interval '1 hour')
            """,
            Guid.NewGuid()
        );
        await DeployAsync(Second);
        Assert.That(Lines(3006), Has.One.Contains("orders_lodger").And.Contains("0.0.1 on here"));

        await TestSystem.Database.ExecuteAsync("update workers set stopped_at = now()");
        await DeployAsync(Second);
        Assert.That(Lines(3006), Is.Empty);
    }

    [Test]
    public async Task Rights_of_an_old_build_stay_that_connects_while_the_deployment_waits_for_another()
    {
        await using var connection = await TestSystem.Database.Source.OpenConnectionAsync();
        var other = await connection.BeginTransactionAsync();
        await using (
            var hold = new NpgsqlCommand("select pg_advisory_xact_lock(x'4f72646572730001'::bigint)", connection)
        )
            await hold.ExecuteNonQueryAsync();
        var deployment = DeployAsync(Second);
        await Eventually.That(() => Task.FromResult(Lines(3007)), Has.One.Contains("process "), "log lines");

        await using var old = new NpgsqlConnection(ConnectionStringOf("lodger", OldBuild));
        await old.OpenAsync();
        await other.RollbackAsync();
        await deployment;
        await ReadStockAsync(old);
    }

    [Test]
    public async Task Permissions_of_an_old_build_stay_that_connects_while_the_broker_is_deployed()
    {
        var broker = TestSystem.Broker;
        var held = await PermissionsAsync();
        await broker.Management.PutPermissionsAsync(
            broker.Options.VirtualHost,
            "orders_lodger",
            held with
            {
                Write = held.Write.Replace("^(", "^(of_an_old_build|", StringComparison.Ordinal),
            },
            CancellationToken.None
        );
        var configuration = TestSystem.Configuration([("LODGER_MQ_PASSWORD", Password)]);
        var users = new BrokerUsers(
            broker.Options,
            First,
            broker.Management,
            configuration,
            TestSystem.Database.Source
        );
        await using (
            var context = new OrdersDbContext(
                (DbContextOptions<OrdersDbContext>)
                    OrdersStore
                        .Configure(new DbContextOptionsBuilder<OrdersDbContext>(), TestSystem.Database.Source)
                        .Options
            )
        )
        {
            await new DatabaseDeployment<OrdersDbContext>(
                context,
                TestSystem.Database.Source,
                First,
                new DatabaseGrants(),
                configuration,
                NullLogger<DatabaseDeployment<OrdersDbContext>>.Instance
            ).DeployAsync(
                async keep =>
                {
                    Assert.That(await keep(), Is.False, "nobody is connected at first");
                    await using var old = new NpgsqlConnection(ConnectionStringOf("lodger", OldBuild));
                    await old.OpenAsync();
                    await users.DeployAsync(keep, CancellationToken.None);
                },
                _ => Task.CompletedTask,
                CancellationToken.None
            );
        }

        Assert.That((await PermissionsAsync()).Write, Does.Contain("of_an_old_build"));
        await UntilNobodyIsConnectedAsync();
        await DeployAsync(First);
        Assert.That(await PermissionsAsync(), Is.EqualTo(held), "once nobody needs them");

        async Task<BrokerPermissions> PermissionsAsync() =>
            (
                await broker.Management.FindPermissionsAsync(
                    broker.Options.VirtualHost,
                    "orders_lodger",
                    CancellationToken.None
                )
            )!;
    }

    [Test]
    public async Task A_retired_step_loses_its_rights_with_the_deployment_after_the_one_that_retired_it()
    {
        const string MayWrite = "select has_table_privilege('orders_gift', 'outbox', 'insert')";
        await DeployAsync(Second);
        await DeployAsync(First);
        Assert.That(await TestSystem.Database.ScalarAsync<bool>(MayWrite), Is.True, "its queue may still be full");
        await DeployAsync(First);
        Assert.That(await TestSystem.Database.ScalarAsync<bool>(MayWrite), Is.False);
    }

    [Test]
    public async Task Publishing_to_a_retired_step_and_its_messages_stays_allowed()
    {
        await DeployAsync(Second);
        await DeployAsync(First);
        var api = await TestSystem.Broker.Management.FindPermissionsAsync(
            TestSystem.Broker.Options.VirtualHost,
            "orders_api",
            CancellationToken.None
        );
        Assert.That(api!.Write.Trim('^', '$', '(', ')').Split('|'), Has.Member("gift"));
    }

    [Test]
    public async Task A_deployment_that_fails_leaves_the_version_of_before()
    {
        const string State = """
            select (select string_agg(step || active, ',' order by step) from step_catalogue)
                || (select string_agg(relname || relacl::text, ',' order by relname) from pg_class
                    where relnamespace = 'public'::regnamespace)
                || (select string_agg(name, ',' order by name) from operators)
            """;
        await DeployAsync(First, ("ORDERS_ADMIN_PASSWORD", "a password of somebody"));
        var before = await TestSystem.Database.ScalarAsync<string>(State);
        var catalogue = new StepCatalogue().Add<GiftStep>().Add<BrokenStep>();

        var fault = Assert.ThrowsAsync<InvalidOperationException>(() => DeployAsync(catalogue));
        Assert.That(fault.Message, Does.Contain("nowhere").And.Contain("does not exist"));
        Assert.That(await TestSystem.Database.ScalarAsync<string>(State), Is.EqualTo(before));
    }

    [Test]
    public async Task A_second_deployment_says_that_it_waits_for_the_first()
    {
        await using var connection = await TestSystem.Database.Source.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using (
            var hold = new NpgsqlCommand("select pg_advisory_xact_lock(x'4f72646572730001'::bigint)", connection)
        )
            await hold.ExecuteNonQueryAsync();
        var deployment = DeployAsync(First);
        await Eventually.That(() => Task.FromResult(Lines(3007)), Has.One.Contains("process "), "log lines");
        Assert.That(deployment.IsCompleted, Is.False);

        await transaction.RollbackAsync();
        await deployment;
    }

    [Test]
    public async Task A_changed_password_is_set()
    {
        await DeployAsync(First, ("LODGER_DB_PASSWORD", "it's another one"));
        await using var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(ConnectionStringOf("lodger", "changed"))
            {
                Password = "it's another one",
            }.ConnectionString
        );
        await connection.OpenAsync();
    }

    private Task<long> UntilNobodyIsConnectedAsync() =>
        Eventually.That(
            () =>
                TestSystem.Database.CountAsync(
                    "pg_stat_activity where datname = current_database() and application_name = $1",
                    OldBuild
                ),
            Is.Zero,
            "sessions of the old build"
        );

    private static async Task ReadStockAsync(NpgsqlConnection connection)
    {
        await using var command = new NpgsqlCommand("select count(*) from stock", connection);
        await command.ExecuteScalarAsync();
    }

    // Each statement by itself, as hot ones are: over and over, by prepared plans.
    private async Task WorkAsync(
        string process,
        string[] statements,
        ConcurrentBag<string> refused,
        CancellationToken enough
    )
    {
        await using var connection = new NpgsqlConnection(ConnectionStringOf(process, $"{Build.Version} at work"));
        await connection.OpenAsync(CancellationToken.None);
        while (!enough.IsCancellationRequested)
        {
            foreach (var statement in statements)
            {
                try
                {
                    await using var command = new NpgsqlCommand(statement, connection);
                    await command.ExecuteNonQueryAsync(CancellationToken.None);
                }
                catch (PostgresException fault)
                {
                    refused.Add($"{process}: {fault.SqlState} {statement}");
                }
            }
        }
    }

    private async Task ReadStepsAsync(ConcurrentDictionary<int, int> seen, CancellationToken enough)
    {
        while (!enough.IsCancellationRequested)
            seen.AddOrUpdate(
                await TestSystem.Database.ScalarAsync<int>(
                    "select coalesce(bit_or(bit), 0) from step_catalogue where active"
                ),
                1,
                (_, count) => count + 1
            );
    }

    private Task DeployAsync(StepCatalogue catalogue, params (string Name, string? Value)[] settings)
    {
        // Disposed by the deployment.
        var log = new LogCapture();
        _logged = () => log.Lines.Select(l => l.Line);
        var passwords = Processes.SelectMany(p =>
            Kinds.Select(kind => ($"{p.ToUpperInvariant()}_{kind}_PASSWORD", (string?)Password))
        );
        return Task.Run(() =>
            DeployCommand.RunAsync(
                TestSystem.Configuration([.. passwords, .. settings]),
                catalogue,
                logging => logging.AddProvider(log),
                CancellationToken.None
            )
        );
    }

    private IEnumerable<string> Lines(int @event) =>
        _logged().Where(l => l.Contains(Words[@event], StringComparison.Ordinal));

    private static readonly Dictionary<int, string> Words = new()
    {
        [3003] = "revoked now: ",
        [3006] = "Role kept rights",
        [3007] = "Another deployment was found",
    };

    private Task<RabbitMQ.Client.IConnection> ConnectAsBrokerAsync() =>
        QueueWorkers.Messaging.BrokerConnection.CreateFactory(TestSystem.Broker.Options).CreateConnectionAsync();

    private string ConnectionStringOf(string process, string name) =>
        new NpgsqlConnectionStringBuilder(TestSystem.Database.ConnectionString)
        {
            Username = ProcessCredentials.UserOf(process),
            Password = Password,
            ApplicationName = name,
            Pooling = false,
        }.ConnectionString;
}
