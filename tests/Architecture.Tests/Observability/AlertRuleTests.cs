using System.Globalization;
using System.Text.RegularExpressions;
using Orders.Workers;
using QueueWorkers.Monitoring.Alerts;

namespace Orders.Architecture.Tests.Observability;

/// <summary>
/// Prometheus raises the dashboard's alerts with the dashboard's thresholds and times, and each alert leads to its
/// section of the runbook.
/// </summary>
public sealed partial class AlertRuleTests
{
    private const string Runbook = "docs/operating.md";
    private const string Page = "docs/observability.md";

    private static readonly PrometheusRule[] Alerts = [.. ObservabilityFiles.Rules.Where(rule => rule.IsAlert)];

    [Test]
    public void Each_rule_of_the_dashboard_is_an_alert_with_its_threshold_and_its_time()
    {
        Assert.Multiple(() =>
        {
            foreach (var rule in AlertRule.Defaults)
            {
                var alert = Array.Find(Alerts, alert => alert.Label("rule") == rule.Name);
                Assert.That(alert, Is.Not.Null, $"alert with the label rule: {rule.Name}");
                if (alert is null)
                    continue;
                Assert.That(TimeOf(alert.Json["for"]?.ToString()), Is.EqualTo(rule.Hold), $"{rule.Name}: for");
                // A threshold of 0 is "at all".
                if (rule.Threshold > 0)
                    Assert.That(
                        Numbers().Matches(alert.Expression).Select(m => m.Value),
                        Does.Contain(rule.Threshold.ToString(CultureInfo.InvariantCulture)),
                        $"{rule.Name}: threshold"
                    );
            }
        });
    }

    [Test]
    public void Each_alert_says_what_is_and_what_to_do_and_leads_to_the_runbook()
    {
        var anchors = Anchors(Repository.Read(Runbook));
        Assert.Multiple(() =>
        {
            foreach (var alert in Alerts)
            {
                Assert.That(alert.Label("rule"), Does.Match("^[a-z-]+$"), $"{alert.Name}: rule");
                Assert.That(alert.Label("severity"), Is.AnyOf("page", "ticket"), $"{alert.Name}: severity");
                Assert.That(alert.Annotation("summary"), Does.EndWith("."), $"{alert.Name}: summary");
                Assert.That(alert.Annotation("action"), Does.EndWith("."), $"{alert.Name}: action");
                var link = alert.Annotation("runbook_url").Split('#');
                Assert.That(link[0], Is.EqualTo(Runbook), $"{alert.Name}: runbook_url");
                Assert.That(anchors, Does.Contain(link[^1]), $"{alert.Name}: section of {Runbook}");
            }
        });
        Assert.That(Alerts.Select(alert => alert.Name), Is.Unique);
        Assert.That(Alerts.Select(alert => alert.Label("rule")), Is.Unique);
    }

    // The same problem has the same section, whoever tells of it.
    [Test]
    public void The_sections_are_those_of_the_dashboards_rules()
    {
        var sections = RunbookRow()
            .Matches(Repository.Read(Runbook))
            .ToDictionary(m => m.Groups["rule"].Value, m => m.Groups["anchor"].Value);
        Assert.That(sections, Has.Count.EqualTo(AlertRule.Defaults.Count));
        foreach (var alert in Alerts.Where(alert => sections.ContainsKey(alert.Label("rule"))))
            Assert.That(alert.Annotation("runbook_url").Split('#')[^1], Is.EqualTo(sections[alert.Label("rule")]));
    }

    [Test]
    public void The_page_lists_each_alert_that_the_dashboard_does_not_have()
    {
        var listed = PageRow().Matches(Repository.Read(Page)).Select(m => m.Groups[1].Value);
        var own = Alerts.Where(alert => AlertRule.Defaults.All(rule => rule.Name != alert.Label("rule")));
        Assert.That(listed, Is.EquivalentTo(own.Select(alert => alert.Name)), Page);
    }

    // A step that no order waits for may retry for days: the dashboard leaves it out, too.
    [Test]
    public void Steps_that_no_order_waits_for_raise_no_alert_of_late_retries()
    {
        var alert = Array.Find(Alerts, alert => alert.Label("rule") == "waiting-retries")!;
        var steps = Steps.Catalogue.Steps.Where(step => !step.Policy.IsRequired).Select(step => step.Name);
        Assert.That(alert.Expression, Does.Contain($"step!=\"{string.Join('|', steps)}\""));
    }

    private static TimeSpan TimeOf(string? text) =>
        text is null ? TimeSpan.Zero
        : text.EndsWith('m') ? TimeSpan.FromMinutes(int.Parse(text[..^1], CultureInfo.InvariantCulture))
        : TimeSpan.FromSeconds(int.Parse(text[..^1], CultureInfo.InvariantCulture));

    // As GitHub makes them of headings.
    private static HashSet<string> Anchors(string page) =>
        [
            .. Heading()
                .Matches(page)
                .Select(m => NoAnchor().Replace(m.Groups[1].Value.Trim().ToLowerInvariant(), "").Replace(' ', '-')),
        ];

    [GeneratedRegex(@"(?<![\w.])\d+(?:\.\d+)?(?![\w.])")]
    private static partial Regex Numbers();

    [GeneratedRegex("^#{2,4} (.+)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"[^\w\s-]")]
    private static partial Regex NoAnchor();

    [GeneratedRegex(
        @"^\| `(?<rule>[a-z-]+)` \| [^|]+ \| (?:at once|\d+ (?:s|min)) \| \[[^\]]+\]\(#(?<anchor>[a-z-]+)\) \|$",
        RegexOptions.Multiline
    )]
    private static partial Regex RunbookRow();

    [GeneratedRegex(@"^\| `([A-Z]\w+)` \|", RegexOptions.Multiline)]
    private static partial Regex PageRow();
}
