using System.Text.Json.Nodes;

namespace Orders.Architecture.Tests.Observability;

/// <summary>
/// Prometheus takes the configuration, every rule and every query of the dashboards and of KEDA, and the rules do in time what
/// deploy/observability/tests says.
/// </summary>
[Parallelizable(ParallelScope.All)]
public sealed class PromtoolTests
{
    private static readonly string Folder = Path.Combine(Repository.Root, ObservabilityFiles.Folder);

    [Test]
    public async Task Prometheus_takes_the_configuration_and_the_rules()
    {
        var (code, text) = await Promtool.RunAsync("check", "config", "--lint=all", $"{Folder}/prometheus.yml");
        Assert.That(code, Is.Zero, text);
        Assert.That(text, Does.Contain($"{ObservabilityFiles.Rules.Count(rule => rule.IsAlert)} rules found"));
    }

    [Test]
    public async Task The_rules_do_what_their_tests_say()
    {
        var (code, text) = await Promtool.RunAsync(["test", "rules", .. TestFiles()]);
        Assert.That(code, Is.Zero, text);
    }

    [Test]
    public void Every_alert_is_seen_firing_and_every_record_is_seen_in_a_test()
    {
        var tests = TestFiles().SelectMany(file => ObservabilityFiles.Yaml(file)["tests"]!.AsArray()).ToArray();
        var fired = tests
            .SelectMany(test => test!["alert_rule_test"]?.AsArray() ?? [])
            .Where(test => test!["exp_alerts"] is JsonArray { Count: > 0 })
            .Select(test => test!["alertname"]!.ToString());
        var quiet = tests
            .SelectMany(test => test!["alert_rule_test"]?.AsArray() ?? [])
            .Where(test => test!["exp_alerts"] is not JsonArray { Count: > 0 })
            .Select(test => test!["alertname"]!.ToString());
        var recorded = tests
            .SelectMany(test => test!["promql_expr_test"]?.AsArray() ?? [])
            .Select(test => test!["expr"]!.ToString());
        string[] alerts = [.. Names(isAlert: true)];
        Assert.Multiple(() =>
        {
            Assert.That(fired.Distinct(), Is.EquivalentTo(alerts), "alerts that a test lets fire");
            Assert.That(quiet.Distinct(), Is.EquivalentTo(alerts), "alerts that a test keeps quiet");
            Assert.That(Names(isAlert: false).Except(recorded), Is.Empty, "records without a test");
        });
    }

    // promtool reads rules only: each query as the expression of one.
    [Test]
    public async Task Prometheus_takes_every_query_of_the_dashboards_and_of_KEDA()
    {
        string[] queries =
        [
            .. ObservabilityFiles.Queries.Select(query => query.Substituted),
            .. ObservabilityFiles.ScalingQueries.Select(query => query.Expression),
        ];
        var (code, text) = await CheckAsync(queries);
        Assert.That(code, Is.Zero, text);
        Assert.That(text, Does.Contain($"{queries.Length} rules found"));
    }

    [TestCase("sum by (step) rate(queueworkers_step_finished_total[1m])")]
    [TestCase("rate(queueworkers_step_finished_total)")]
    [TestCase("queueworkers_step_consuming == 0 for 1m")]
    public async Task A_broken_query_is_found(string query)
    {
        var (code, text) = await CheckAsync([query]);
        Assert.That(code, Is.Not.Zero);
        Assert.That(text, Does.Contain("could not parse expression"));
    }

    // Planted: the threshold and the time of an alert are changed.
    [TestCase("> 0.05", "> 0.5")]
    [TestCase("for: 1m", "for: 10m")]
    public async Task A_changed_rule_fails_its_test(string from, string to)
    {
        var copy = Directory.CreateTempSubdirectory("orders-rules-").FullName;
        try
        {
            foreach (var path in (string[])["rules", "tests"])
            {
                Directory.CreateDirectory(Path.Combine(copy, path));
                foreach (var file in Directory.GetFiles(Path.Combine(Folder, path)))
                    await File.WriteAllTextAsync(
                        Path.Combine(copy, path, Path.GetFileName(file)),
                        (await File.ReadAllTextAsync(file)).Replace(from, to, StringComparison.Ordinal)
                    );
            }

            var (code, text) = await Promtool.RunAsync([
                "test",
                "rules",
                .. Directory.GetFiles(Path.Combine(copy, "tests")),
            ]);
            Assert.That(code, Is.Not.Zero);
            Assert.That(text, Does.Contain("FAILED"));
        }
        finally
        {
            Directory.Delete(copy, recursive: true);
        }
    }

    private static IEnumerable<string> TestFiles() =>
        Repository
            .Find($"{ObservabilityFiles.Folder}/tests", "*.yml")
            .Select(path => Path.Combine(Repository.Root, path));

    private static IEnumerable<string> Names(bool isAlert) =>
        ObservabilityFiles.Rules.Where(rule => rule.IsAlert == isAlert).Select(rule => rule.Name);

    private static async Task<(int Code, string Text)> CheckAsync(params string[] queries)
    {
        var file = Path.Combine(Path.GetTempPath(), $"orders-queries-{Guid.NewGuid():N}.json");
        var rules = queries.Select((query, n) => new JsonObject { ["record"] = $"query_{n}", ["expr"] = query });
        var groups = new JsonObject
        {
            ["groups"] = new JsonArray(new JsonObject { ["name"] = "queries", ["rules"] = new JsonArray([.. rules]) }),
        };
        // JSON is YAML.
        await File.WriteAllTextAsync(file, groups.ToJsonString());
        try
        {
            return await Promtool.RunAsync("check", "rules", "--lint=none", file);
        }
        finally
        {
            File.Delete(file);
        }
    }
}
