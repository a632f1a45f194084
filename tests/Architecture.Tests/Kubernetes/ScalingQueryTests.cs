using System.Text.Json.Nodes;
using Orders.Architecture.Tests.Observability;
using Orders.Workers;

namespace Orders.Architecture.Tests.Kubernetes;

/// <summary>
/// What KEDA's queries answer, asked of Prometheus with made-up series. That hosts of today have those series is for
/// ScrapedContainersTests and ObservedInstallationTests.
/// </summary>
[Parallelizable(ParallelScope.All)]
public sealed class ScalingQueryTests
{
    private static readonly string[] StepNames = [.. Steps.Catalogue.Steps.Select(step => step.Name)];

    // A metric that is absent in a healthy system would make KEDA see 0 for ever.
    [Test]
    public void Every_query_is_one_that_must_have_data()
    {
        Assert.That(ObservabilityFiles.ScalingQueries, Has.Count.EqualTo(2 * StepNames.Length));
        Assert.That(ObservabilityFiles.ScalingQueries, Is.SubsetOf(QueriesWithData.All));
    }

    // Two dashboards show the same queue: not twice the age, not twice the depth. 90 messages, three done in a second.
    [TestCaseSource(nameof(StepNames))]
    public async Task A_backlog_is_its_age_and_the_time_that_it_takes(string step) =>
        Assert.That(await AskAsync(step, "4", "0", [90, 30]), Is.EqualTo((0, "")));

    // Attack: an operator pauses a step, or its mail server is down. Twelve workers would wait as two do.
    [TestCaseSource(nameof(StepNames))]
    public async Task Steps_that_take_nothing_on_purpose_ask_for_no_workers(string step) =>
        Assert.That(await AskAsync(step, "0", "0", [null, null]), Is.EqualTo((0, "")));

    // One worker of two is drained.
    [TestCaseSource(nameof(StepNames))]
    public async Task One_worker_that_takes_messages_is_enough(string step) =>
        Assert.That(await AskAsync(step, "0", "4", [90, 30]), Is.EqualTo((0, "")));

    // Planted: an age that is wrong fails the checks above.
    [Test]
    public async Task Another_answer_fails()
    {
        var (code, text) = await AskAsync(StepNames[0], "4", "4", [91, 30]);
        Assert.That(code, Is.Not.Zero);
        Assert.That(text, Does.Contain("FAILED"));
    }

    // The last moment of six minutes of series; promtool says nothing that is worth reading when it agrees.
    private static async Task<(int Code, string Text)> AskAsync(
        string step,
        string limit,
        string otherLimit,
        double?[] expected
    )
    {
        var queries = ObservabilityFiles
            .ScalingQueries.Where(query => query.Where == $"ScaledObject {step}")
            .Select(query => query.Expression)
            .ToArray();
        var series = new (string Name, string Values)[]
        {
            ($$"""queueworkers_queue_age_seconds{queue="{{step}}", instance="a"}""", "90x36"),
            ($$"""queueworkers_queue_age_seconds{queue="{{step}}", instance="b"}""", "90x36"),
            ($$"""queueworkers_queue_age_seconds{queue="{{step}}_error", instance="a"}""", "9000x36"),
            ($$"""queueworkers_queue_messages{queue="{{step}}", state="ready", instance="a"}""", "90x36"),
            ($$"""queueworkers_queue_messages{queue="{{step}}", state="ready", instance="b"}""", "90x36"),
            ($$"""queueworkers_queue_messages{queue="{{step}}", state="unacknowledged", instance="a"}""", "9000x36"),
            ($$"""queueworkers_step_finished_total{step="{{step}}", outcome="done", instance="c"}""", "0+20x36"),
            ($$"""queueworkers_step_finished_total{step="{{step}}", outcome="done", instance="d"}""", "0+10x36"),
            ($$"""queueworkers_step_limit{step="{{step}}", instance="c"}""", $"{limit}x36"),
            ($$"""queueworkers_step_limit{step="{{step}}", instance="d"}""", $"{otherLimit}x36"),
        };
        var tests = new JsonObject
        {
            ["tests"] = new JsonArray(
                new JsonObject
                {
                    ["interval"] = "10s",
                    ["input_series"] = new JsonArray([
                        .. series.Select(s => new JsonObject { ["series"] = s.Name, ["values"] = s.Values }),
                    ]),
                    ["promql_expr_test"] = new JsonArray([
                        .. queries.Zip(expected, (query, value) => Expect(query, value)),
                    ]),
                }
            ),
        };
        var file = Path.Combine(Path.GetTempPath(), $"orders-scaling-{Guid.NewGuid():N}.json");
        // JSON is YAML.
        await File.WriteAllTextAsync(file, tests.ToJsonString());
        try
        {
            var (code, text) = await Promtool.RunAsync("test", "rules", file);
            return (code, code == 0 ? "" : text);
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static JsonObject Expect(string query, double? value) =>
        new()
        {
            // Of the rate there is a rest behind the fifteenth digit.
            ["expr"] = $"round({query}, 0.001)",
            ["eval_time"] = "6m",
            ["exp_samples"] = value is { } number
                ? new JsonArray(new JsonObject { ["labels"] = "{}", ["value"] = number })
                : [],
        };
}
