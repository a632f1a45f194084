using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Orders.Testing;
using QueueWorkers.Hosting;

namespace Orders.Infrastructure.Tests;

/// <summary>The pool of connections as the processes have it.</summary>
internal static class OrdersPool
{
    /// <summary>Makes one.</summary>
    /// <param name="system">Whose database it leads to.</param>
    /// <param name="most">The most connections.</param>
    public static NpgsqlDataSource Of(OrdersSystem system, int most = DatabaseOptions.Worker) =>
        Of(system.Database.ConnectionString, most);

    /// <summary>Makes one of a connection string.</summary>
    public static NpgsqlDataSource Of(string connectionString, int most)
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection([
                new("ConnectionStrings:Postgres", connectionString),
                new("Database:MaxConnections", $"{most}"),
            ])
            .Build();
        var services = new ServiceCollection().AddOrdersStore(configuration);
        return (NpgsqlDataSource)
            services.Single(s => s.ServiceType == typeof(NpgsqlDataSource)).ImplementationInstance!;
    }
}
