using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Orders.Infrastructure.Hosting;
using Orders.Infrastructure.Orders;
using Orders.Testing;

namespace Orders.Infrastructure.Tests;

/// <summary>The pool of connections as the processes have it.</summary>
internal static class OrdersPool
{
    /// <summary>Makes one.</summary>
    /// <param name="system">Whose database it leads to.</param>
    /// <param name="most">The most connections.</param>
    public static NpgsqlDataSource Of(OrdersSystem system, int most = DatabaseOptions.Worker)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(
            [new("ConnectionStrings:Postgres", system.Database.ConnectionString), new("Database:MaxConnections", $"{most}")]).Build();
        var services = new ServiceCollection().AddOrdersStore(configuration);
        return (NpgsqlDataSource)services.Single(s => s.ServiceType == typeof(NpgsqlDataSource)).ImplementationInstance!;
    }
}
