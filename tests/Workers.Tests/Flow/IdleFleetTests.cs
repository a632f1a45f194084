using System.Collections.Concurrent;
using System.Diagnostics;
using Orders.Testing;

namespace Orders.Workers.Tests.Flow;

/// <summary>
/// Fifty worker processes on one database, and nothing to do. The bounds are those of docs/scaling.md: connections for
/// each process, and statements for all of them together, which do not grow with their number.
/// Starting them takes two cores some minutes. Each phase says how far it came, and has a deadline of its own.
/// </summary>
[Category("Long")]
public sealed class IdleFleetTests : InstallationFixture
{
    private const int Processes = 50;
    private const int AtOnce = 3;
    private const int MostStatementsPerSecond = 50;
    private const string Fleet = "datname = current_database() and application_name = 'fleet'";
    private static readonly TimeSpan ToStart = TimeSpan.FromMinutes(8);
    private static readonly TimeSpan ToClose = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan ToCalmDown = TimeSpan.FromMinutes(4);
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(20);
    private static readonly string[] StepNames = ["email", "inventory", "invoice", "warehouse"];

    private readonly Stopwatch _watch = Stopwatch.StartNew();

    [Test]
    public async Task Idle_workers_need_two_connections_each_and_few_statements_together()
    {
        var workers = new ConcurrentBag<WorkerProcess>();
        try
        {
            await StartAllAsync(workers);
            await Eventually.That(
                () => TestSystem.Database.CountAsync($"pg_stat_activity where {Fleet}"),
                Is.InRange(1, 2 * Processes),
                "connections of the idle fleet",
                ToClose
            );
            Say("the connections of the start are closed");
            var statements = await CalmDownAsync();
            var (before, since) = (workers.ToDictionary(w => w, w => w.Cpu), Stopwatch.StartNew());
            var again = await CountStatementsAsync();
            var used = workers.Sum(w => (w.Cpu - before[w]).TotalSeconds) / since.Elapsed.TotalSeconds;
            var connections = await TestSystem.Database.CountAsync($"pg_stat_activity where {Fleet}");
            Say(
                $"{Processes} idle workers: {connections} connections, {statements:0} and {again:0} statements a second together, {used * 100:0} % of one core together"
            );
            Assert.That(connections, Is.AtMost(2 * Processes), "connections");
        }
        finally
        {
            await Task.WhenAll(workers.Select(w => w.DisposeAsync().AsTask()));
        }
    }

    // Those that have started are in the bag, whatever becomes of the others.
    private async Task StartAllAsync(ConcurrentBag<WorkerProcess> workers)
    {
        foreach (var some in Enumerable.Range(0, Processes).Chunk(AtOnce))
        {
            Assert.That(
                _watch.Elapsed,
                Is.LessThan(ToStart),
                $"{workers.Count} of {Processes} processes have started: this machine is too slow or too busy for the test"
            );
            await Task.WhenAll(some.Select(async number => workers.Add(await StartAsync(number))));
            Say($"{workers.Count} of {Processes} processes have started");
        }
    }

    // All have to learn how many they are, and a statement that a slow machine delays is repeated.
    private async Task<double> CalmDownAsync()
    {
        var rates = new List<double>();
        var calming = Stopwatch.StartNew();
        do
        {
            rates.Add(await CountStatementsAsync());
            Say($"{rates[^1]:0.0} statements a second");
            if (rates[^1] < MostStatementsPerSecond)
                return rates[^1];
        } while (calming.Elapsed < ToCalmDown);

        Assert.Fail(
            $"{Processes} idle workers make more than {MostStatementsPerSecond} statements a second together; in windows of {Window.TotalSeconds} s: {string.Join(", ", rates.Select(r => $"{r:0}"))}."
        );
        return 0;
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
    // most.
    private async Task<double> CountStatementsAsync()
    {
        var (first, since) = (await TransactionsAsync(), Stopwatch.StartNew());
        await Task.Delay(Window);
        return (await TransactionsAsync() - first) / since.Elapsed.TotalSeconds;
    }

    private Task<long> TransactionsAsync() =>
        TestSystem.Database.ScalarAsync<long>(
            "select xact_commit + xact_rollback from pg_stat_database where datname = current_database()"
        );

    private void Say(string what) => TestContext.Progress.WriteLine($"{_watch.Elapsed.TotalSeconds:0} s: {what}");
}
