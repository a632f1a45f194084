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
            rows.Rows.Select(r => (r.Name, r.First, r.Second, r.Differs)),
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
            rows.Rows.Select(r => (r.Name, r.First, r.Second)),
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
        Assert.That(Comparison.Lines(null, null).Rows, Is.Empty);
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

    // Attack: a payload that is masked as a whole looks as if the two were equal.
    [TestCase("1", "1", "no difference")]
    [TestCase("1", "2", "1 difference")]
    [TestCase(Masked.Something, Masked.Something, "no visible difference")]
    [TestCase(Masked.Something, "open", "no visible difference")]
    public void What_is_masked_is_not_said_to_be_equal(string first, string second, string says)
    {
        Assert.That(Comparison.Members(first, second).Says("members"), Is.EqualTo(says));
        var beside = Comparison.Members(
            new JsonObject { ["it"] = first, ["tries"] = 1 },
            new JsonObject { ["it"] = second, ["tries"] = 1 }
        );
        Assert.That(beside.Says("members"), Is.EqualTo(says));
    }

    [Test]
    public void Differences_beside_masked_values_are_those_that_are_visible() =>
        Assert.That(
            Comparison
                .Members(
                    new JsonObject { ["email"] = Masked.Something, ["tries"] = 1 },
                    new JsonObject { ["email"] = Masked.Something, ["tries"] = 2 }
                )
                .Says("members"),
            Is.EqualTo("1 visible difference")
        );

    [TestCase(300, "no difference")]
    [TestCase(301, "no difference in the first 300 ")]
    public void What_is_cut_off_is_not_said_to_be_equal(int count, string says)
    {
        var equal = Enumerable.Range(1, count - 1).Select(i => $"{i}").ToArray();
        var isCut = count > Comparison.MostRows;
        var lines = Comparison.Lines(
            string.Join('\n', equal.Append("a")),
            string.Join('\n', equal.Append(isCut ? "b" : "a"))
        );
        Assert.That(lines.Says("lines"), Is.EqualTo(isCut ? says + "lines" : says));
        // One side alone is long enough.
        Assert.That(Comparison.Lines(string.Join('\n', equal.Append("a")), "x").IsCut, Is.EqualTo(isCut));

        JsonNode Of(string last) => new JsonArray([.. equal.Append(last).Select(e => (JsonNode?)e)]);
        var members = Comparison.Members(Of("a"), Of(isCut ? "b" : "a"));
        Assert.That(members.Says("members"), Is.EqualTo(isCut ? says + "members" : says));
        Assert.That(members.Rows, Has.Count.EqualTo(Math.Min(count, Comparison.MostRows)));
    }
}
