using System.Globalization;
using System.Text.RegularExpressions;

namespace Orders.Architecture.Tests.Docs;

/// <summary>All decision records begin alike, the index lists each of them, and none refers to a document that the repository does not have.</summary>
public sealed partial class DecisionRecordTests
{
    private const string Folder = "docs/adr";
    private const string Index = $"{Folder}/README.md";

    private static IEnumerable<string> Records => Repository.Find(Folder, "*.md").Where(path => path != Index).Order(StringComparer.Ordinal);

    [TestCaseSource(nameof(Records))]
    public void Begins_with_number_title_date_and_status(string record)
    {
        var lines = Repository.Read(record).Split('\n');
        var name = FileName().Match(Path.GetFileName(record));
        Assert.That(name.Success, $"{record}: expected a file name such as 0004-commits-are-shared.md");
        var number = int.Parse(name.Groups[1].Value, CultureInfo.InvariantCulture);
        Assert.Multiple(() =>
        {
            Assert.That(lines[0], Does.Match($@"^# {number}\. \S"), $"{record}: line 1 is the title, '# {number}. Title'");
            Assert.That(lines[1], Is.Empty, $"{record}: line 2");
            Assert.That(lines[2], Does.Match(@"^- Date: \d{4}-\d\d-\d\d$"), $"{record}: line 3 is the date");
            Assert.That(lines[3], Does.Match("^- Status: (accepted|proposed|rejected|superseded)"), $"{record}: line 4 is the status");
        });
        Assert.That(lines.Where(l => l.StartsWith("## ", StringComparison.Ordinal)), Is.SupersetOf(["## Context", "## Decision", "## Consequences"]), record);
    }

    [TestCaseSource(nameof(Records))]
    public void Refers_to_nothing_outside_the_repository(string record) =>
        Assert.That(Outside().Matches(Repository.Read(record)).Select(m => m.Value), Is.Empty, $"{record}: references to documents that a reader does not have");

    [Test]
    public void The_index_lists_each_record_with_its_title_in_the_order_of_their_numbers()
    {
        var listed = IndexRow().Matches(Repository.Read(Index)).Select(m => (Number: m.Groups[1].Value, Title: m.Groups[2].Value, File: m.Groups[3].Value));
        var expected = Records.Select(path =>
        {
            var title = Title().Match(Repository.Read(path));
            return (Number: title.Groups[1].Value, Title: title.Groups[2].Value, File: Path.GetFileName(path));
        });
        Assert.That(listed, Is.EqualTo(expected));
    }

    [GeneratedRegex(@"^(\d{4})-[a-z0-9-]+\.md$")]
    private static partial Regex FileName();

    [GeneratedRegex(@"^# (\d+)\. (.+)$", RegexOptions.Multiline)]
    private static partial Regex Title();

    [GeneratedRegex(@"^\| (\d+) \| \[(.+)\]\(([^)]+)\) \|", RegexOptions.Multiline)]
    private static partial Regex IndexRow();

    [GeneratedRegex(@"\bdecision \d+|\b(?:this|the|an) issue\b|\bissue #?\d+|\bthe (?:design|plan)'s\b", RegexOptions.IgnoreCase)]
    private static partial Regex Outside();
}
