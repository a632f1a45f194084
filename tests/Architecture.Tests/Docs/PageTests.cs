using System.Text.RegularExpressions;
using QueueWorkers.Monitoring.Alerts;

namespace Orders.Architecture.Tests.Docs;

/// <summary>A reader finds each page from the index, and an operator finds each alert in the runbook.</summary>
public sealed partial class PageTests
{
    private const string Index = "docs/index.md";
    private const string Runbook = "docs/operating.md";
    private const int MostLinesOfTheReadme = 250;

    [Test]
    public void The_index_links_each_page()
    {
        var linked = Link().Matches(Repository.Read(Index)).Select(m => m.Groups[1].Value);
        var pages = Repository
            .Find("docs", "*.md")
            .Where(path => path != Index && path.Count(c => c == '/') == 1)
            .Select(path => Path.GetFileName(path));
        Assert.That(pages.Except(linked), Is.Empty, $"pages that {Index} does not link");
    }

    [Test]
    public void Each_alert_rule_has_a_row_in_the_runbook_with_the_time_that_it_holds()
    {
        var rows = Row()
            .Matches(Repository.Read(Runbook))
            .ToDictionary(m => m.Groups["rule"].Value, m => m.Groups["hold"].Value);
        Assert.That(
            AlertRule.Defaults.Select(rule => (rule.Name, Hold: Words(rule.Hold))),
            Is.EquivalentTo(rows.Select(row => (Name: row.Key, Hold: row.Value))),
            $"{Runbook}, 'Alerts': rule and time"
        );
    }

    // Symptom, meaning, what to do: a section has them in its own order. These two are what is forgotten.
    [Test]
    public void Each_alert_rule_has_a_section_that_says_what_it_means_and_by_what_one_sees_that_it_is_over()
    {
        var page = Repository.Read(Runbook);
        var sections = Section().Split(page).Skip(1).Chunk(2).ToDictionary(s => AnchorOf(s[0]), s => s[1]);
        var links = SectionOfRow().Matches(page).ToDictionary(m => m.Groups["rule"].Value, m => m.Groups["to"].Value);
        Assert.Multiple(() =>
        {
            foreach (var rule in AlertRule.Defaults)
            {
                var section = links.TryGetValue(rule.Name, out var to) ? sections.GetValueOrDefault(to, "") : "";
                Assert.That(
                    section,
                    Does.Match($"(?m)^Alert `{rule.Name}`|Alert `{rule.Name}`(?: means)?:"),
                    rule.Name
                );
                Assert.That(section, Does.Match("(?m)^Over when [^\n]+\\.$"), $"{rule.Name}: by what one sees the end");
            }
        });
    }

    [Test]
    public void The_readme_is_short() =>
        Assert.That(
            Repository.Read("README.md").TrimEnd().Split('\n'),
            Has.Length.AtMost(MostLinesOfTheReadme),
            "lines of README.md"
        );

    private static string AnchorOf(string heading) => heading.Trim().ToLowerInvariant().Replace(' ', '-');

    private static string Words(TimeSpan hold) =>
        hold switch
        {
            { Ticks: 0 } => "at once",
            { TotalMinutes: >= 1 } => $"{hold.TotalMinutes} min",
            _ => $"{hold.TotalSeconds} s",
        };

    [GeneratedRegex(@"\]\(([\w-]+\.md)")]
    private static partial Regex Link();

    // A row of the table: rule, when it fires, for how long, section.
    [GeneratedRegex(@"^\| `(?<rule>[a-z-]+)` \| [^|]+ \| (?<hold>at once|\d+ (?:s|min)) \| ", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex(@"^\| `(?<rule>[a-z-]+)` \| [^\n]+\]\(#(?<to>[a-z-]+)\) \|$", RegexOptions.Multiline)]
    private static partial Regex SectionOfRow();

    [GeneratedRegex("^## +(.+)$", RegexOptions.Multiline)]
    private static partial Regex Section();
}
