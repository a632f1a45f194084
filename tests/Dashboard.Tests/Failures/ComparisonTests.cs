using System.Text.Json.Nodes;
using Orders.Dashboard.Failures;
using Orders.Dashboard.Viewing;

namespace Orders.Dashboard.Tests.Failures;

/// <summary>What stands beside what when two failures are compared.</summary>
internal sealed class ComparisonTests
{
    [Test]
    public void Members_stand_beside_those_of_the_same_path()
    {
        var rows = Comparison.Members(
            JsonNode.Parse("""{"id": 1, "lines": [{"sku": "A"}, {"sku": "B"}], "note": null}"""),
            JsonNode.Parse("""{"id": 2, "lines": [{"sku": "A"}], "more": {}}""")
        );
        Assert.That(
            rows.Select(r => (r.Name, r.First, r.Second, r.Differs)),
            Is.EqualTo(
                new (string, string?, string?, bool)[]
                {
                    ("id", "1", "2", true),
                    ("lines[0].sku", "A", "A", false),
                    ("lines[1].sku", "B", null, true),
                    ("note", "null", null, true),
                    ("more", null, "{}", true),
                }
            )
        );
    }

    [Test]
    public void Equal_lines_stand_beside_each_other_and_what_one_has_alone_stands_alone()
    {
        var rows = Comparison.Lines(
            "Step.Consume\nSmtp.Send\nPipeline.Run",
            "Step.Consume\nHttp.Get\nTcp.Open\nPipeline.Run"
        );
        Assert.That(
            rows.Select(r => (r.Name, r.First, r.Second)),
            Is.EqualTo(
                new (string, string?, string?)[]
                {
                    ("1", "Step.Consume", "Step.Consume"),
                    ("2", "Smtp.Send", null),
                    ("3", null, "Http.Get"),
                    ("4", null, "Tcp.Open"),
                    ("5", "Pipeline.Run", "Pipeline.Run"),
                }
            )
        );
        Assert.That(Comparison.Lines(null, null), Is.Empty);
    }

    [Test]
    public void Whether_two_masked_values_differ_is_not_said()
    {
        foreach (var other in (string?[])[Masked.Something, "open", null])
        {
            var row = new ComparedRow("email", Masked.Something, other);
            Assert.That((row.IsHidden, row.Differs), Is.EqualTo((true, false)), other);
        }
    }
}
