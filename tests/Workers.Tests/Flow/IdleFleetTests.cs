using Orders.Testing;

namespace Orders.Workers.Tests.Flow;

/// <summary>
/// Fifty worker processes on one database, and nothing to do. The bounds are those of docs/scaling.md: connections for
/// each process, and statements for all of them together, which do not grow with their number.
/// </summary>
[Category("Long")]
public sealed class IdleFleetTests : InstallationFixture
{
    private const int Processes = 50;
    private const int MostStatementsPerSecond = 50;
    private const string Fleet = "datname = current_database() and application_name = 'fleet'";
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);
    private static readonly string[] StepNames = ["email", "inventory", "invoice", "warehouse"];

    [Test]
    public async Task Idle_workers_need_two_connections_each_and_few_statements_together()
    {
        var workers = new List<WorkerProcess>();
        try
        {
            foreach (var some in Enumerable.Range(0, Processes).Chunk(3))
                workers.AddRange(await Task.WhenAll(some.Select(StartAsync)));
            // All have learned how many they are, and closed what they needed to start.
            await Eventually.That(
                () => TestSystem.Database.CountAsync($"pg_stat_activity where {Fleet}"),
                Is.InRange(1, 2 * Processes),
                "connections of the idle fleet",
                TimeSpan.FromMinutes(3)
            );
            var counted = await Eventually.That(
                CountStatementsAsync,
                Is.LessThan(MostStatementsPerSecond),
                "statements a second of all processes",
                TimeSpan.FromMinutes(10)
            );
            var (before, at) = (workers.Select(w => w.Cpu).ToArray(), DateTimeOffset.UtcNow);
            counted = Math.Min(counted, await CountStatementsAsync());
            var used = workers.Zip(before, (w, b) => w.Cpu - b).Sum(t => t.TotalSeconds);
            TestContext.Out.WriteLine(
                $"{Processes} idle workers: {await TestSystem.Database.CountAsync($"pg_stat_activity where {Fleet}")} connections, {counted:0} statements a second together, {used / (DateTimeOffset.UtcNow - at).TotalSeconds * 100:0} % of one core together."
            );
            Assert.That(
                await TestSystem.Database.CountAsync($"pg_stat_activity where {Fleet}"),
                Is.AtMost(2 * Processes),
                "connections"
            );
        }
        finally
        {
            await Task.WhenAll(workers.Select(w => w.DisposeAsync().AsTask()));
        }
    }

    private Task<WorkerProcess> StartAsync(int number) =>
        WorkerProcess.StartAsync(
            "Workers",
            TestSystem.Settings([
                .. Towards(World),
                ("Workers:Steps", StepNames[number % StepNames.Length]),
                ("Outbox:PollInterval", "00:00:01"),
                ("ConnectionStrings:Postgres", $"{TestSystem.Database.ConnectionString};Application Name=fleet"),
            ])
        );

    // An idle process sends each statement as a transaction of its own. The server counts them all a second late at
    // most; a minute makes that small.
    private async Task<double> CountStatementsAsync()
    {
        var (first, since) = (await TransactionsAsync(), DateTimeOffset.UtcNow);
        await Task.Delay(Minute);
        return (await TransactionsAsync() - first) / (DateTimeOffset.UtcNow - since).TotalSeconds;
    }

    private Task<long> TransactionsAsync() =>
        TestSystem.Database.ScalarAsync<long>(
            "select xact_commit + xact_rollback from pg_stat_database where datname = current_database()"
        );
}
