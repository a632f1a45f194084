using QueueWorkers.Messaging;
using Testcontainers.PostgreSql;
using Testcontainers.RabbitMq;

namespace Orders.Testing.Servers;

/// <summary>
/// One PostgreSQL and one RabbitMQ for a whole run, whichever test project asks first: starting them costs more than
/// most fixtures do.
/// Fixtures are kept apart by a database and a virtual host of their own. <c>./dev test</c> removes what carries the
/// label.
/// </summary>
public static class SharedServers
{
    /// <summary>The label by which containers of tests are found.</summary>
    public const string Label = "orders.tests";

    private const int AmqpPort = 5672;
    private const int ManagementPort = 15672;
    private const string User = "orders_admin";

    // A host that a test starts as a process refuses a weak one.
    private const string Password = "tests-7Qm2xW9kLr";

    private static readonly Lazy<Task<(PostgreSqlContainer Database, RabbitMqContainer Broker)>> Started = new(
        StartAsync
    );

    /// <summary>The owner's connection string to the maintenance database.</summary>
    public static async Task<string> DatabaseAsync() => (await Started.Value).Database.GetConnectionString();

    /// <summary>Where another container finds the database.</summary>
    public static async Task<string> DatabaseAddressAsync() => (await Started.Value).Database.IpAddress;

    /// <summary>The broker, as its administrator sees it.</summary>
    public static async Task<RabbitMqOptions> BrokerAsync()
    {
        var broker = (await Started.Value).Broker;
        return new RabbitMqOptions
        {
            Host = broker.Hostname,
            Port = broker.GetMappedPublicPort(AmqpPort),
            Username = User,
            Password = Password,
            ManagementUri = new UriBuilder(
                Uri.UriSchemeHttp,
                broker.Hostname,
                broker.GetMappedPublicPort(ManagementPort)
            ).Uri,
        };
    }

    /// <summary>Makes one quorum queue of the broker stand still, or go on, while all others work.</summary>
    public static async Task FreezeQueueAsync(string virtualHost, string queue, bool isFrozen)
    {
        var code = $$"""
            {ok, Q} = rabbit_amqqueue:lookup(rabbit_misc:r(<<"{{virtualHost}}">>, queue, <<"{{queue}}">>)),
            {Name, _} = amqqueue:get_pid(Q), sys:{{(isFrozen ? "suspend" : "resume")}}(Name).
            """;
        var result = await (await Started.Value).Broker.ExecAsync(["rabbitmqctl", "eval", code]);
        if (result.ExitCode != 0)
            throw new InvalidOperationException(
                $"The queue '{queue}' cannot be frozen: {result.Stdout}{result.Stderr}"
            );
    }

    private static async Task<(PostgreSqlContainer Database, RabbitMqContainer Broker)> StartAsync()
    {
        var database = new PostgreSqlBuilder("postgres:18")
            .WithUsername("orders_owner")
            .WithPassword(Password)
            .WithDatabase("orders")
            // No test ends the machine, and what a killed process has written is kept without waiting for the disk.
            .WithCommand(
                "-c",
                "max_connections=800",
                "-c",
                "shared_buffers=128MB",
                "-c",
                "fsync=off",
                "-c",
                "full_page_writes=off"
            )
            .WithLabel(Label, "database")
            .WithReuse(true)
            .Build();
        var broker = new RabbitMqBuilder("rabbitmq:4.3-management")
            .WithUsername(User)
            .WithPassword(Password)
            .WithPortBinding(ManagementPort, assignRandomHostPort: true)
            // In memory for the same reason: a quorum queue waits for its disk with each message, and each queue, binding
            // and virtual host of a fixture waits once more.
            .WithTmpfsMount("/var/lib/rabbitmq")
            // Else the schedulers spin while they wait, and take the processor from the tests. And the log of the quorum
            // queues grows to half a gigabyte of memory before it is cut.
            .WithEnvironment(
                "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS",
                "+sbwt none +sbwtdcpu none +sbwtdio none +Q 65536 -rabbit quorum_wal_max_size_bytes 67108864"
            )
            .WithLabel(Label, "broker")
            .WithReuse(true)
            .Build();
        await using var turn = await TakeTurnAsync();
        await Task.WhenAll(database.StartAsync(), broker.StartAsync());
        return (database, broker);
    }

    // Two test projects that start at the same moment would each create a container of either kind, and whoever looks
    // for the one to reuse would find two. The file is closed, and the turn is over, also when the process dies.
    private static async Task<FileStream> TakeTurnAsync()
    {
        var path = Path.Combine(Path.GetTempPath(), $"{Label}.lock");
        for (var tries = 0; ; tries++)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException) when (tries < 1200)
            {
                // Somebody else starts them.
                await Task.Delay(TimeSpan.FromMilliseconds(100));
            }
        }
    }
}
