using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Orders.Testing;

namespace Orders.Workers.Tests.Flow;

/// <summary>
/// Fifty worker processes and five of the API, each with a relay, on one database and one broker, and nothing to do.
/// The bounds are those of docs/scaling.md: connections for each process; statements and processor for all of them
/// together. Starting them takes two cores some minutes. The tests are in order, and many, because a run ends when one
/// of them takes five minutes. Each says how far it came.
/// </summary>
[Category("Long")]
public sealed class IdleFleetTests : InstallationFixture
{
    private const int Workers = 50;
    private const int Relays = 5;
    private const int AtOnce = 3;
    private const int MostConnectionsEach = 2;
    private const int MostStatementsOfWorkers = 50;
    private const int MostStatementsOfARelay = 2;
    private const int MostStatements = MostStatementsOfWorkers + (Relays * MostStatementsOfARelay);
    private const string Fleet = "datname = current_database() and application_name = 'fleet'";

    // 0.14 was seen; one loop that spins takes a whole core.
    private const double MostCores = 0.5;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(20);
    private static readonly string[] StepNames = [.. Steps.Catalogue.Steps.Select(step => step.Name)];

    private readonly Stopwatch _watch = Stopwatch.StartNew();
    private readonly ConcurrentBag<WorkerProcess> _workers = [];
    private readonly ConcurrentBag<WorkerProcess> _relays = [];

    private IEnumerable<WorkerProcess> All => _workers.Concat(_relays);

    [OneTimeTearDown]
    public Task EndAsync() => Task.WhenAll(All.Select(process => process.DisposeAsync().AsTask()));

    // Ten at a time: on a slow machine each has its own patience.
    [Order(1)]
    [TestCase(10), TestCase(20), TestCase(30), TestCase(40), TestCase(Workers)]
    public Task Workers_start(int until) =>
        StartAsync(_workers, until, number => StartHostAsync("Workers", ("Workers:Steps", StepOf(number))));

    [Test, Order(2)]
    public Task Relays_start() => StartAsync(_relays, Relays, _ => StartHostAsync("Producer.Api"));

    [Test, Order(3)]
    public async Task Each_keeps_two_connections_to_each_server_at_most()
    {
        AssertAllStarted();
        const int Most = MostConnectionsEach * (Workers + Relays);
        // Those of the start are closed when they were not needed for a while.
        var database = await Eventually.That(
            () => TestSystem.Database.CountAsync($"pg_stat_activity where {Fleet}"),
            Is.InRange(1, Most),
            "connections of the idle fleet to PostgreSQL",
            Patience
        );
        var broker = await Eventually.That(
            BrokerConnectionsAsync,
            Is.InRange(1, Most),
            "connections of the idle fleet to RabbitMQ",
            Patience
        );
        Say($"{database} connections to PostgreSQL, {broker} to RabbitMQ");
    }

    // All have to learn how many they are, and a statement that a slow machine delays is repeated.
    [Test, Order(4)]
    public async Task All_together_make_few_statements()
    {
        AssertAllStarted();
        var rates = new List<double>();
        var calming = Stopwatch.StartNew();
        do
        {
            rates.Add(await CountStatementsAsync());
            Say($"{rates[^1]:0.0} statements a second");
        } while (rates[^1] >= MostStatements && calming.Elapsed < Patience);

        Assert.That(
            rates[^1],
            Is.LessThan(MostStatements),
            $"statements a second of {Workers} idle workers and {Relays} relays; in windows of {Window.TotalSeconds} s: {string.Join(", ", rates.Select(r => $"{r:0}"))}"
        );
    }

    [Test, Order(5)]
    public async Task All_together_use_less_than_half_a_core()
    {
        AssertAllStarted();
        var (before, since) = (All.ToDictionary(process => process, process => process.Cpu), Stopwatch.StartNew());
        await Task.Delay(Window);
        var took = since.Elapsed.TotalSeconds;
        var (workers, relays) = (Used(_workers), Used(_relays));
        Say($"{workers:0.00} s of a processor a second for {Workers} workers, {relays:0.00} for {Relays} relays");
        Assert.That(workers + relays, Is.LessThan(MostCores), "seconds of a processor a second");

        double Used(IEnumerable<WorkerProcess> processes) =>
            processes.Sum(process => (process.Cpu - before[process]).TotalSeconds) / took;
    }

    // Those that have started are in the bag, whatever becomes of the others.
    private async Task StartAsync(
        ConcurrentBag<WorkerProcess> processes,
        int until,
        Func<int, Task<WorkerProcess>> start
    )
    {
        var starting = Stopwatch.StartNew();
        var missing = Math.Max(0, until - processes.Count);
        foreach (var some in Enumerable.Range(processes.Count, missing).Chunk(AtOnce))
        {
            Assert.That(
                starting.Elapsed,
                Is.LessThan(Patience),
                $"{processes.Count} of {until} processes have started: this machine is too slow or too busy for the test"
            );
            await Task.WhenAll(some.Select(async number => processes.Add(await start(number))));
            Say($"{processes.Count} of {until} processes have started");
        }
    }

    private void AssertAllStarted() =>
        Assert.That((_workers.Count, _relays.Count), Is.EqualTo((Workers, Relays)), "workers and relays that started");

    private static string StepOf(int number) => StepNames[number % StepNames.Length];

    private Task<WorkerProcess> StartHostAsync(string host, params (string Name, string? Value)[] settings) =>
        WorkerProcess.StartAsync(
            host,
            TestSystem.Settings([
                .. Towards(World),
                .. settings,
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

    // Without the one of the test itself.
    private async Task<int> BrokerConnectionsAsync()
    {
        var options = TestSystem.Broker.Options;
        using var http = new HttpClient { BaseAddress = options.ManagementUri };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(
            "Basic",
            Convert.ToBase64String(Encoding.UTF8.GetBytes($"{options.Username}:{options.Password}"))
        );
        var address = $"api/vhosts/{Uri.EscapeDataString(options.VirtualHost)}/connections";
        using var all = JsonDocument.Parse(await http.GetStringAsync(new Uri(address, UriKind.Relative)));
        return all.RootElement.GetArrayLength() - 1;
    }

    private void Say(string what) => TestContext.Progress.WriteLine($"{_watch.Elapsed.TotalSeconds:0} s: {what}");
}
