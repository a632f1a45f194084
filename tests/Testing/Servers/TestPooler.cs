using DotNet.Testcontainers.Builders;
using DotNet.Testcontainers.Containers;
using Npgsql;

namespace Orders.Testing.Servers;

/// <summary>PgBouncer in front of a fixture's database, from the image of deploy/pgbouncer: sessions by transaction, and few of them.</summary>
public sealed class TestPooler : IAsyncDisposable
{
    private const int Port = 6432;
    private const string Password = "pooler";

    private readonly IContainer _container;

    private TestPooler(IContainer container, string connectionString)
    {
        _container = container;
        ConnectionString = connectionString;
    }

    /// <summary>The password of the pooler's own role, which the deployment of the installation is given as <c>POOLER_DB_PASSWORD</c>.</summary>
    public static string RolePassword => Password;

    /// <summary>Leads through the pooler.</summary>
    public string ConnectionString { get; }

    /// <summary>Starts one.</summary>
    /// <param name="database">Whose database it leads to; deployed with <see cref="RolePassword"/>.</param>
    /// <param name="user">A role whose name begins with <c>orders_</c>.</param>
    /// <param name="password">Its password.</param>
    /// <param name="serverConnections">How many sessions of PostgreSQL it opens at most.</param>
    public static async Task<TestPooler> StartAsync(TestDatabase database, string user, string password, int serverConnections)
    {
        var image = new ImageFromDockerfileBuilder().WithDockerfileDirectory(CommonDirectoryPath.GetSolutionDirectory(), "deploy/pgbouncer").WithName("orders-tests-pgbouncer:latest")
            .WithCleanUp(false).WithDeleteIfExists(false).Build();
        await image.CreateAsync();
        var server = new NpgsqlConnectionStringBuilder(database.ConnectionString);
        var container = new ContainerBuilder(image).WithPortBinding(Port, assignRandomHostPort: true).WithLabel(SharedServers.Label, "pooler")
            .WithEnvironment("POOLER_DB_PASSWORD", Password).WithEnvironment("POOLER_DATABASE", server.Database)
            .WithEnvironment("POOLER_SERVER_HOST", await SharedServers.DatabaseAddressAsync())
            .WithEnvironment("POOLER_SERVER_CONNECTIONS", $"{serverConnections}").WithEnvironment("POOLER_PER_ROLE", $"{serverConnections}").Build();
        await container.StartAsync();
        return new TestPooler(container, new NpgsqlConnectionStringBuilder
        {
            Host = container.Hostname, Port = container.GetMappedPublicPort(Port), Database = server.Database, Username = user, Password = password,
        }.ConnectionString);
    }

    /// <summary>Stops it.</summary>
    public ValueTask DisposeAsync() => _container.DisposeAsync();
}
