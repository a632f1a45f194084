using Npgsql;

namespace Orders.Infrastructure.Tests.Orders;

/// <summary>A connection is not reset when it is given back to the pool: what its next user may rely on all the same.</summary>
public sealed class PooledConnectionTests : InASystem
{
    [TestCase("select 1", TestName = "An open transaction ends with its user")]
    [TestCase("select 1 / 0", TestName = "A failed transaction ends with its user")]
    public async Task A_transaction_ends_with_its_user(string last)
    {
        await using var pool = OrdersPool.Of(System, most: 1);
        var session = 0;
        await using (var first = await pool.OpenConnectionAsync())
        {
            session = first.ProcessID;
            await RunAsync(first, "BEGIN");
            await RunAsync(first, "insert into suspects (message_id, step, deaths, running, host) values (gen_random_uuid(), 'left open', 0, true, '')");
            try
            {
                await RunAsync(first, last);
            }
            catch (PostgresException fault) when (fault.SqlState == PostgresErrorCodes.DivisionByZero)
            {
            }
        }

        await using var second = await pool.OpenConnectionAsync();
        Assert.That(second.ProcessID, Is.EqualTo(session), "the same session");
        await RunAsync(second, "update suspects set deaths = 1 where step = 'mine'");
        Assert.That(await System.Database.CountAsync("pg_stat_activity where pid = $1 and state like 'idle in transaction%'", session), Is.Zero, "transactions that were left open");
        Assert.That(await System.Database.CountAsync("suspects where step = 'left open'"), Is.Zero, "rows of a transaction that nobody committed");
    }

    private static async Task RunAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
