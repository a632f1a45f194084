using Npgsql;
using QueueWorkers.Operators;

namespace Orders.Dashboard.Tests.Audit;

internal sealed class AuditRecordTests : DashboardFixture
{
    private AuditLog Log => new(TestSystem.Database.Source);

    [Test, Order(1)]
    public async Task Is_chained_without_gaps_also_when_many_write_at_once()
    {
        await Task.WhenAll(
            Enumerable
                .Range(0, 40)
                .Select(n =>
                    Log.WriteAsync(
                        new AuditEntry
                        {
                            Who = "anna",
                            Role = "Admin",
                            Action = "test",
                            Filter = """{"b": 1, "a": 2}""",
                            Count = n,
                            Reason = "why not",
                        },
                        default
                    )
                )
        );
        var entries = await Log.ReadAsync(null, 500, default);
        Assert.That(entries.Select(e => e.Id), Is.EqualTo(Enumerable.Range(1, 40).Select(n => (long)n).Reverse()));
        Assert.That(await Log.FirstBrokenAsync(default), Is.Null);
    }

    [Test, Order(2)]
    public async Task Can_be_read_in_pages()
    {
        var first = await GetAsync("/api/audit?limit=30", ViewerKey);
        var oldest = first.Body.AsArray()[^1]!["id"]!.GetValue<long>();
        var second = await GetAsync($"/api/audit?limit=30&before={oldest}", ViewerKey);
        Assert.That(
            second.Body.AsArray().Select(e => e!["id"]!.GetValue<long>()),
            Is.EqualTo(Enumerable.Range(1, (int)oldest - 1).Select(n => (long)n).Reverse())
        );
    }

    [TestCase("update audit set who = 'somebody else' where id = 3")]
    [TestCase("delete from audit where id = 3")]
    [TestCase("truncate audit")]
    [Order(3)]
    public void Refuses_changes_even_of_the_owner(string sql)
    {
        var refused = Assert.ThrowsAsync<PostgresException>(() => TestSystem.Database.ExecuteAsync(sql));
        Assert.That(refused.MessageText, Does.Contain("insert-only"));
    }

    [TestCase("update audit set reason = 'another' where id = 7", 7)]
    [TestCase("delete from audit where id = 5", 6)]
    [Order(4)]
    public async Task Shows_where_somebody_went_round_the_triggers(string sql, long broken)
    {
        await using var connection = await TestSystem.Database.Source.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using (
            var tamper = new NpgsqlCommand(
                $"set local session_replication_role = replica; {sql}; set local session_replication_role = origin",
                connection
            )
        )
            await tamper.ExecuteNonQueryAsync();
        await using var look = new NpgsqlCommand(AuditLog.Broken, connection);
        Assert.That(await look.ExecuteScalarAsync(), Is.EqualTo(broken));
        await transaction.RollbackAsync();
    }
}
