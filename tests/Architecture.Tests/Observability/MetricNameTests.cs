namespace Orders.Architecture.Tests.Observability;

/// <summary>
/// Each metric and each label that a rule or a dashboard names is one of docs/telemetry.md: Prometheus takes a misspelt
/// one for one without data, and says nothing.
/// </summary>
public sealed class MetricNameTests
{
    // Prometheus' own, and the labels that the scrape adds.
    private static readonly string[] Own = ["up", "ALERTS"];
    private static readonly string[] Scraped = ["job", "instance", "service"];
    private static readonly string[] OfAlerts = ["alertname", "alertstate", "severity", "rule"];

    private static readonly string[] Recorded =
    [
        .. ObservabilityFiles.Rules.Where(rule => !rule.IsAlert).Select(rule => rule.Name),
    ];

    [Test]
    public void Every_name_is_documented()
    {
        var all = ObservabilityFiles.Expressions.ToArray();
        Assert.That(all, Has.Length.GreaterThan(40), "expressions of rules and dashboards");
        Assert.That(all.SelectMany(e => ProblemsOf(e.Where, e.Expression)), Is.Empty);
    }

    // Planted faults: what the test above must find.
    [TestCase("sum(rate(queueworkers_step_finishd_total[1m]))", "queueworkers_step_finishd_total")]
    [TestCase("sum by (stepp) (rate(queueworkers_step_finished_total[1m]))", "stepp")]
    [TestCase("queueworkers_step_consuming{stp=\"email\"} == 0", "stp")]
    [TestCase("sum by (le) (queueworkers_step_consuming)", "le")]
    [TestCase("step:queueworkers_step_nothing:rate1m", "step:queueworkers_step_nothing:rate1m")]
    [TestCase(
        "up and on (instance) queueworkers_step_consuming offset 5m > 0 or queueworkers_gone",
        "queueworkers_gone"
    )]
    public void A_misspelt_name_is_found(string expression, string name)
    {
        var problems = ProblemsOf("here", expression).ToArray();
        Assert.That(problems, Has.Length.EqualTo(1));
        Assert.That(problems[0], Does.Contain($"'{name}'"));
    }

    [Test]
    public void What_is_recorded_is_named_by_its_labels_and_its_metric_and_used()
    {
        foreach (var rule in ObservabilityFiles.Rules.Where(rule => !rule.IsAlert))
        {
            var parts = rule.Name.Split(':');
            Assert.That(parts, Has.Length.EqualTo(3), $"{rule.Name}: LABELS:METRIC:WHAT");
            Assert.That(
                PromQuery.GroupedBy(rule.Expression).Except(["le"]).Distinct(),
                Is.SubsetOf(parts[0].Split('_')),
                rule.Name
            );
            var uses = ObservabilityFiles
                .Expressions.SelectMany(e => PromQuery.Metrics(e.Expression))
                .Count(metric => metric.Name == rule.Name);
            Assert.That(uses, Is.Positive, $"{rule.Name}: used by a rule or a panel");
        }
    }

    [Test]
    public void Every_documented_metric_is_on_the_dashboard_or_in_a_rule()
    {
        // By what a panel shows, an operator learns of it; a histogram by any of its three series.
        var used = ObservabilityFiles
            .Expressions.SelectMany(e => PromQuery.Metrics(e.Expression))
            .Select(metric => Base(metric.Name))
            .ToHashSet(StringComparer.Ordinal);
        Assert.That(DocumentedMetric.All.Keys.Select(Base).Distinct().Where(name => !used.Contains(name)), Is.Empty);
    }

    private static string Base(string name) =>
        DocumentedMetric.All.TryGetValue(name, out _)
        && (name.EndsWith("_bucket", StringComparison.Ordinal) || name.EndsWith("_sum", StringComparison.Ordinal))
            ? name[..name.LastIndexOf('_')] + "_count"
            : name;

    private static IEnumerable<string> ProblemsOf(string where, string expression)
    {
        var metrics = PromQuery.Metrics(expression).ToArray();
        var known = metrics.Where(m => LabelsOf(m.Name) is not null).ToArray();
        foreach (var metric in metrics.Except(known))
            yield return $"{where}: no metric '{metric.Name}' in docs/telemetry.md";
        foreach (var (metric, label) in known.SelectMany(m => m.Labels.Select(label => (m.Name, label))))
        {
            if (!LabelsOf(metric)!.Contains(label))
                yield return $"{where}: {metric} has no label '{label}'";
        }

        var all = known.SelectMany(m => LabelsOf(m.Name)!).ToHashSet(StringComparer.Ordinal);
        foreach (var label in PromQuery.GroupedBy(expression).Distinct().Where(label => !all.Contains(label)))
            yield return $"{where}: no metric of it has a label '{label}'";
    }

    private static IEnumerable<string>? LabelsOf(string name) =>
        name == "ALERTS" ? OfAlerts.Concat(Scraped)
        : Own.Contains(name) ? Scraped
        : Recorded.Contains(name) ? name.Split(':')[0].Split('_')
        : DocumentedMetric.All.TryGetValue(name, out var metric) ? metric.Labels.Concat(Scraped)
        : null;
}
