using System.Text.Json.Nodes;

namespace Orders.Architecture.Tests.Observability;

/// <summary>Grafana's files: what Grafana would find wrong only when somebody looks, is found here.</summary>
public sealed class DashboardFileTests
{
    private static IEnumerable<string> Files => ObservabilityFiles.Dashboards.Keys;

    [TestCaseSource(nameof(Files))]
    public void Every_panel_says_what_it_shows_in_which_unit_from_the_provisioned_source(string file)
    {
        var source = ObservabilityFiles.Yaml(
            $"{ObservabilityFiles.Folder}/grafana/provisioning/datasources/prometheus.yml"
        );
        var uid = source["datasources"]![0]!["uid"]!.ToString();
        var panels = ObservabilityFiles.Panels(ObservabilityFiles.Dashboards[file]).ToArray();
        Assert.That(panels, Has.Length.GreaterThan(10));
        Assert.Multiple(() =>
        {
            foreach (var panel in panels)
            {
                var title = panel["title"]!.ToString();
                Assert.That(panel["description"]?.ToString(), Does.EndWith("."), $"{title}: description");
                Assert.That(
                    panel["fieldConfig"]!["defaults"]!["unit"]?.ToString(),
                    Is.Not.Null.And.Not.Empty,
                    $"{title}: unit"
                );
                Assert.That(panel["datasource"]!["uid"]!.ToString(), Is.EqualTo(uid), title);
                Assert.That(panel["targets"]!.AsArray(), Is.Not.Empty, title);
                Assert.That(
                    panel["targets"]!.AsArray().Select(target => target!["refId"]!.ToString()),
                    Is.Unique,
                    $"{title}: refId"
                );
            }
        });
        Assert.That(panels.Select(panel => panel["title"]!.ToString()), Is.Unique, "titles");
    }

    [TestCaseSource(nameof(Files))]
    public void Panels_have_their_own_ids_and_do_not_overlap(string file)
    {
        var panels = ObservabilityFiles.Dashboards[file]["panels"]!.AsArray().Select(panel => panel!).ToArray();
        Assert.That(panels.Select(panel => panel["id"]!.GetValue<int>()), Is.Unique);
        var cells = panels.SelectMany(Cells).ToArray();
        Assert.That(cells, Is.Unique, "cells that two panels cover");
        Assert.That(cells.Select(cell => cell.X), Is.All.InRange(0, 23));
    }

    [TestCaseSource(nameof(Files))]
    public void Variables_are_those_that_the_queries_use(string file)
    {
        var dashboard = ObservabilityFiles.Dashboards[file];
        var variables = dashboard["templating"]!["list"]!
            .AsArray()
            .Select(variable => $"${variable!["name"]}")
            .ToArray();
        var text = string.Concat(ObservabilityFiles.Queries.Select(query => query.Expression));
        foreach (var variable in variables)
            Assert.That(text, Does.Contain(variable));
        // What is left of a variable that nobody has is no query.
        foreach (var query in ObservabilityFiles.Queries)
            Assert.That(query.Substituted, Does.Not.Contain("$"), query.Panel);
    }

    private static IEnumerable<(int X, int Y)> Cells(JsonNode panel)
    {
        var place = panel["gridPos"]!;
        var (x, y) = (place["x"]!.GetValue<int>(), place["y"]!.GetValue<int>());
        for (var dx = 0; dx < place["w"]!.GetValue<int>(); dx++)
        for (var dy = 0; dy < place["h"]!.GetValue<int>(); dy++)
            yield return (x + dx, y + dy);
    }
}
