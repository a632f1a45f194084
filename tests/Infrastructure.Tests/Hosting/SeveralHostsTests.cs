using Npgsql;
using Orders.Testing.Servers;
using QueueWorkers.Hosting;

namespace Orders.Infrastructure.Tests.Hosting;

/// <summary>
/// A connection string that names a primary and a standby. The failover itself is shown by ./dev chaos --scenario
/// postgres-failover, on two servers.
/// </summary>
public sealed class SeveralHostsTests : SystemFixture
{
    [Test]
    public async Task The_host_that_takes_writes_is_used_when_the_first_one_is_dead([Values] bool asksForTheTarget)
    {
        var settings = new NpgsqlConnectionStringBuilder(TestSystem.Database.ConnectionString);
        settings.Host = $"127.0.0.1:{FreePort.Take()},{settings.Host}:{settings.Port}";
        if (asksForTheTarget)
            settings.TargetSessionAttributes = "primary";

        await using var pool = OrdersPool.Of(settings.ConnectionString, DatabaseOptions.Worker);
        await using var command = pool.CreateCommand("select not pg_is_in_recovery()");
        Assert.That(await command.ExecuteScalarAsync(), Is.True);
    }
}
