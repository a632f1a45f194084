using System.Diagnostics;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using NUnit.Framework.Constraints;
using Orders.Infrastructure.Orders;
using Testcontainers.PostgreSql;

namespace Orders.Producer.Api.Tests;

/// <summary>One PostgreSQL for the run, a migrated database for each fixture.</summary>
internal sealed class TestDatabase : IAsyncDisposable
{
    private static readonly Lazy<Task<PostgreSqlContainer>> Server = new(async () =>
    {
        var server = new PostgreSqlBuilder("postgres:18").WithLabel("orders.tests", "api").Build();
        await server.StartAsync();
        return server;
    });

    private TestDatabase(string connectionString)
    {
        ConnectionString = connectionString;
        Source = NpgsqlDataSource.Create(connectionString);
    }

    public string ConnectionString { get; }

    public NpgsqlDataSource Source { get; }

    public static async Task<TestDatabase> CreateAsync() => await MigrateAsync((await Server.Value).GetConnectionString());

    public static async Task<TestDatabase> MigrateAsync(string server)
    {
        var text = new NpgsqlConnectionStringBuilder(server) { Database = $"t_{Guid.NewGuid():N}", MaxPoolSize = 30 }.ConnectionString;
        var database = new TestDatabase(text);
        await using var context = new OrdersDbContext((DbContextOptions<OrdersDbContext>)OrdersStore.Configure(new DbContextOptionsBuilder<OrdersDbContext>(), database.Source).Options);
        await context.Database.MigrateAsync();
        return database;
    }

    public async Task<int> ExecuteAsync(string sql, params object[] values)
    {
        await using var command = Command(sql, values);
        return await command.ExecuteNonQueryAsync();
    }

    public async Task<T> ScalarAsync<T>(string sql, params object[] values)
    {
        await using var command = Command(sql, values);
        return (T)Convert.ChangeType((await command.ExecuteScalarAsync())!, typeof(T), System.Globalization.CultureInfo.InvariantCulture);
    }

    public Task<long> CountAsync(string from, params object[] values) => ScalarAsync<long>($"select count(*) from {from}", values);

    public ValueTask DisposeAsync() => Source.DisposeAsync();

    public static async Task StopServerAsync()
    {
        if (Server.IsValueCreated)
            await (await Server.Value).DisposeAsync();
    }

    private NpgsqlCommand Command(string sql, object[] values)
    {
        var command = Source.CreateCommand(sql);
        foreach (var value in values)
            command.Parameters.Add(new() { Value = value });
        return command;
    }
}

/// <summary>Waits for what must come true.</summary>
internal static class Eventually
{
    public static async Task<T> That<T>(Func<Task<T>> look, IResolveConstraint constraint, string what, TimeSpan? within = null)
    {
        var expected = constraint.Resolve();
        var watch = Stopwatch.StartNew();
        while (true)
        {
            var value = await look();
            if (expected.ApplyTo(value).IsSuccess)
                return value;
            if (watch.Elapsed > (within ?? TimeSpan.FromSeconds(30)))
                Assert.Fail($"{what}: expected {expected}, found {value} after {watch.Elapsed.TotalSeconds:0.0} s");
            await Task.Delay(25);
        }
    }
}

[SetUpFixture]
internal sealed class OwnServers
{
    [OneTimeTearDown]
    public Task StopAsync() => TestDatabase.StopServerAsync();
}
