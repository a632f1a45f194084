using System.Text.Json.Nodes;

namespace Orders.Dashboard.Tests.Docs;

/// <summary>The comparison of pages with answers finds what it is for.</summary>
public sealed class ShownOutputTests
{
    private const string Answer =
        """{"id":"01a226c1-462b-7e03-a51f-1d25c0bdca41","total":29.00,"steps":[{"step":"email","attempts":1},{"step":"invoice","report":null}]}""";

    [TestCase("""{ "total": 1, "steps": [ { "step": "x" } ] }""", "")]
    [TestCase("""{ "total": 1, … }""", "")]
    [TestCase("""{ "amount": 1 }""", "/amount is not in the answer")]
    [TestCase("""{ "steps": [ { "step": "x", "fault": 1 } ] }""", "/steps/0/fault is not in the answer")]
    [TestCase("""{ "steps": [ { "report": null } ] }""", "")]
    [TestCase("""{ "total": { "eur": 1 } }""", "/total is no object")]
    [TestCase("""{ "steps": 1 }""", "/steps is no single value")]
    public void Members_are_compared_and_values_are_not(string shown, string difference) =>
        Assert.That(
            string.Join("; ", ShownOutput.Differences(ShownOutput.Parsed(shown), JsonNode.Parse(Answer))),
            Is.EqualTo(difference)
        );

    [TestCase("  467 ms  email      Done", true)]
    [TestCase("  467 ms  email      Failed", false)]
    [TestCase("202 Accepted in 117 ms: {\"id\":\"01a226c1-4201-7617-9be0-b6ed5e220578\",…}", true)]
    [TestCase("404 Not found in 117 ms: …", false)]
    [TestCase("""{"id":"x","total":68.80}""", true)]
    [TestCase("""{"id":"x","sum":68.80}""", false)]
    [TestCase("…", true)]
    public void Lines_are_found_whatever_their_numbers(string shown, bool found) =>
        Assert.That(
            ShownOutput.Missing(
                [shown],
                $"202 Accepted in 7 ms: {Answer.Replace('4', '5')}\n    12 ms  email  Done\n\n{Answer}\n"
            ),
            found ? Is.Empty : Is.EqualTo([shown])
        );

    [Test]
    public void Commands_are_told_from_their_output()
    {
        var block = DocBlock
            .Of("a.md", "<!-- no-run: a reason -->\n```console no-run\n$ a '{\n  b}' \\\n  c\none\n\n$ d\n```\n")
            .Single();
        Assert.Multiple(() =>
        {
            Assert.That((block.Line, block.IsLeftOut, block.Reason), Is.EqualTo((2, true, "a reason")));
            Assert.That(block.Commands().Select(c => c.Command), Is.EqualTo(["a '{\n  b}' \\\n  c", "d"]));
            Assert.That(block.Commands()[0].Shown, Is.EqualTo(["one"]));
        });
    }
}
