using Npgsql;
using Orders.Infrastructure.Deployment;
using Orders.Testing;
using Orders.Testing.Zoo;

namespace Orders.Infrastructure.Tests.Deployment;

/// <summary>A migration that waits for a busy table takes its time: the limits that all other connections have do not end it.</summary>
public sealed class SlowMigrationTests : InASystem
{
    // Longer than the lock time-out of every connection (5 s), and than the command time-out that the test sets.
    private const int Seconds = 7;

    [Test]
    public async Task It_outlasts_the_time_limits_of_commands_and_locks()
    {
        await using var connection = await System.Database.Source.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using (var hold = new NpgsqlCommand("""lock table "__EFMigrationsHistory" in access exclusive mode""", connection))
            await hold.ExecuteNonQueryAsync();

        var text = new NpgsqlConnectionStringBuilder(System.Database.ConnectionString) { CommandTimeout = 1 }.ConnectionString;
        var deployment = Task.Run(() => DeployCommand.RunAsync(System.Configuration(("ConnectionStrings:Postgres", text)), ZooCatalogue.Of(), _ => { }, CancellationToken.None));
        await Eventually.That(
            () => System.Database.CountAsync($"pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like '%__EFMigrationsHistory%' and now() - query_start > interval '{Seconds} seconds'"),
            Is.EqualTo(1), "statements of the deployment that have waited long", TimeSpan.FromSeconds(60));
        Assert.That(deployment.IsCompleted, Is.False);
        await transaction.RollbackAsync();
        await deployment;
    }
}
