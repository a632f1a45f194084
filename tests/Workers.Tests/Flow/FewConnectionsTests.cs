using Orders.Infrastructure;
using Orders.Infrastructure.Deployment;
using Orders.Testing;
using Orders.Testing.Servers;
using QueueWorkers.Steps;

namespace Orders.Workers.Tests.Flow;

/// <summary>Whole orders, with few connections or through a pooler that hands out sessions by transaction.</summary>
[Category("Long")]
public sealed class FewConnectionsTests : InstallationFixture
{
    private const int Count = 60;

    [Test]
    [Order(1)]
    public async Task One_connection_is_enough_for_a_process_with_every_step()
    {
        // Whoever held one and waited for a second would wait for ever.
        await using var host = await TestSystem.StartAsync(
            "*",
            services => services.AddOrderFeeding(),
            [.. Towards(World), ("Database:MaxConnections", "1")]
        );
        await AllCompleteAsync(host);
    }

    [Test]
    [Order(2)]
    public async Task An_idle_process_goes_back_to_two_connections()
    {
        const string Open = "pg_stat_activity where datname = current_database() and application_name = 'idle'";
        await using var host = await TestSystem.StartAsync(
            "*",
            services => services.AddOrderFeeding(),
            [
                .. Towards(World),
                ("Outbox:PollInterval", "00:00:01"),
                ("ConnectionStrings:Postgres", $"{TestSystem.Database.ConnectionString};Application Name=idle"),
            ]
        );
        await AllCompleteAsync(host);
        await Eventually.That(
            () => TestSystem.Database.CountAsync(Open),
            Is.InRange(1, 2),
            "connections of an idle process",
            TimeSpan.FromSeconds(90)
        );
    }

    [Test]
    [Order(3)]
    public async Task Everything_works_through_a_pooler_by_transaction()
    {
        var role = $"orders_through_{Guid.NewGuid():N}";
        await DeployCommand.RunAsync(
            TestSystem.Configuration(("POOLER_DB_PASSWORD", TestPooler.RolePassword)),
            Steps.Catalogue,
            _ => { },
            CancellationToken.None
        );
        await TestSystem.Database.ExecuteAsync(
            $"create role {role} login password 'through'; grant usage on schema public to {role}; grant all on all tables in schema public to {role}; grant all on all sequences in schema public to {role}"
        );
        try
        {
            // Fewer sessions than the two processes have connections: each statement may meet another session.
            await using var pooler = await TestPooler.StartAsync(
                TestSystem.Database,
                role,
                "through",
                serverConnections: 5
            );
            (string, string?)[] through =
            [
                .. Towards(World),
                ("ConnectionStrings:Postgres", pooler.ConnectionString),
                ("Database:Pooler", "true"),
            ];
            await using var first = await TestSystem.StartAsync("*", services => services.AddOrderFeeding(), through);
            await using var second = await TestSystem.StartAsync("*", services => services.AddOrderFeeding(), through);
            await AllCompleteAsync(first);
            await AllCompleteAsync(second);
            Assert.That(
                await TestSystem.Database.CountAsync(
                    "pg_stat_activity where datname = current_database() and usename = $1",
                    role
                ),
                Is.InRange(1, 5),
                "sessions of PostgreSQL"
            );
            Assert.That(
                await TestSystem.Database.CountAsync(
                    "pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())"
                ),
                Is.Zero,
                "locks left in sessions"
            );
        }
        finally
        {
            await TestSystem.Database.ExecuteAsync($"drop owned by {role}; drop role {role}");
        }
    }

    private async Task AllCompleteAsync(RunningHost host)
    {
        await TestSystem.Database.ExecuteAsync("update stock set initial = initial + 1000, on_hand = on_hand + 1000");
        var orders = await Task.WhenAll(Enumerable.Range(0, Count).Select(_ => TestSystem.PostAsync(host)));
        await Eventually.That(
            () =>
                TestSystem.Database.CountAsync(
                    "order_progress where order_id = any($1) and completed_at is not null",
                    (object)orders
                ),
            Is.EqualTo(Count),
            "completed orders",
            TimeSpan.FromSeconds(60)
        );
        Assert.That(
            host.Log.Lines.Where(l =>
                l.Line.Contains("exhausted", StringComparison.Ordinal)
                || l.Line.Contains("Reading ", StringComparison.Ordinal)
            ),
            Is.Empty,
            "complaints"
        );
        Assert.That(
            await TestSystem.Database.CountAsync("step_runs where status = $1", (short)StepStatus.Failed),
            Is.Zero,
            "failed steps"
        );
    }
}
