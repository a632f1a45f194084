using System.Diagnostics;
using System.Globalization;
using System.Text;
using Orders.Testing.Servers;

namespace Orders.Testing.Fuzz;

/// <summary>
/// Sends mutated requests to each route in turn. No answer may be a 5xx, and a refused request (4xx) leaves no row.
/// A case depends only on the seed and its number: <c>ORDERS_FUZZ_SEED</c> and <c>ORDERS_FUZZ_CASE</c> repeat one.
/// </summary>
public sealed class FuzzRun(Uri host, IReadOnlyList<FuzzRoute> routes, TestDatabase database)
{
    private const int MostFindings = 20;

    private readonly List<string> _findings = [];
    private readonly SortedDictionary<int, int> _statuses = [];
    private readonly List<(string Route, double Milliseconds)> _times = [];

    /// <summary>Values of Authorization of others: another role, another client, a revoked key.</summary>
    public IReadOnlyList<string> OtherKeys { get; init; } = [""];

    /// <summary>Tables that background work writes meanwhile; a row there says nothing about a request.</summary>
    public IReadOnlyCollection<string> BackgroundTables { get; init; } = [];

    /// <summary>Rows that a refusal leaves on purpose: status and table.</summary>
    public IReadOnlyCollection<(int Status, string Table)> RecordedRefusals { get; init; } = [];

    /// <summary>A seed by the clock, or the one of the environment.</summary>
    public static int DrawnSeed => FromEnvironment("ORDERS_FUZZ_SEED") ?? (int)(Stopwatch.GetTimestamp() & 0x7fffffff);

    /// <summary>Sends the requests.</summary>
    /// <param name="seed">The seed.</param>
    /// <param name="count">How many.</param>
    public async Task RunAsync(int seed, int count)
    {
        await TestContext.Out.WriteLineAsync(
            $"Fuzzing {routes.Count} routes with {count} requests, seed {seed}; ORDERS_FUZZ_SEED={seed} repeats it"
        );
        var mutation = new RequestMutation(OtherKeys);
        var changes = await RowChanges.WatchAsync(database, BackgroundTables);
        using var http = new RawHttp(host);
        var only = FromEnvironment("ORDERS_FUZZ_CASE");
        for (var number = only ?? 0; number < (only + 1 ?? count) && _findings.Count < MostFindings; number++)
        {
            var random = new Random(unchecked((seed * 1_000_003) + number));
            var route = routes[number % routes.Count];
            var request = mutation.Of(route.Sample(random), random);
            var began = Stopwatch.GetTimestamp();
            var answer = await http.SendAsync(request);
            _times.Add((route.Name, Stopwatch.GetElapsedTime(began).TotalMilliseconds));
            _statuses[answer.Status] = _statuses.GetValueOrDefault(answer.Status) + 1;
            if (answer.Status >= 500)
                Find(seed, number, route, request, answer, "the server failed");
            var rows = (await changes.TakeAsync())
                .Where(change => !RecordedRefusals.Contains((answer.Status, change.Table)))
                .ToArray();
            if (answer.Status is 0 or >= 400 && rows.Length > 0)
                Find(
                    seed,
                    number,
                    route,
                    request,
                    answer,
                    $"refused, and changed rows: {string.Join(", ", rows.Select(r => $"{r.Table} {r.More:+0;-0}"))}"
                );
        }

        await ReportAsync();
    }

    // The slowest of a hundred in order, as a figure; a machine under load says little about the product.
    private async Task ReportAsync()
    {
        var sorted = _times.Select(t => t.Milliseconds).Order().ToArray();
        var slow = sorted[(int)(sorted.Length * 0.99)];
        var slowest = _times
            .GroupBy(t => t.Route)
            .Select(r => (r.Key, Mean: r.Average(t => t.Milliseconds)))
            .OrderByDescending(r => r.Mean)
            .Take(3);
        await TestContext.Out.WriteLineAsync(
            string.Create(
                CultureInfo.InvariantCulture,
                $"Answers: {string.Join(", ", _statuses.Select(s => $"{s.Key} × {s.Value}"))}; p99 {slow:0.0} ms, slowest {sorted[^1]:0.0} ms. Slowest routes: {string.Join(", ", slowest.Select(r => $"{r.Key} {r.Mean:0.0} ms on average"))}"
            )
        );
        Assert.That(_findings, Is.Empty, $"findings:\n{string.Join("\n\n", _findings)}\n");
        if (FromEnvironment("ORDERS_FUZZ_P99") is { } most)
            Assert.That(slow, Is.LessThan(most), "p99 in milliseconds");
    }

    private void Find(int seed, int number, FuzzRoute route, FuzzRequest request, RawAnswer answer, string what)
    {
        var text = new StringBuilder()
            .Append(CultureInfo.InvariantCulture, $"{what}: {route.Name}, answer {answer.Status}. Repeat: ")
            .Append(CultureInfo.InvariantCulture, $"ORDERS_FUZZ_SEED={seed} ORDERS_FUZZ_CASE={number}\n")
            .Append(request)
            .Append("\n--- answer\n")
            .Append(answer.Text.Length > 1500 ? answer.Text[..1500] : answer.Text);
        _findings.Add(text.ToString());
    }

    private static int? FromEnvironment(string name) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out var value)
            ? value
            : null;
}
