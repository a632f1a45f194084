using System.Text.RegularExpressions;

namespace Orders.Architecture.Tests.Docs;

/// <summary>What CONTRIBUTING demands is what the gate runs, and both run on GitHub too.</summary>
public sealed partial class GateTests
{
    private static readonly string Contributing = Repository.Read("CONTRIBUTING.md");
    private static readonly string Gate = Repository.Read(".ci/run");
    private static readonly string Verify = Repository.Read("deploy/dev/verify.sh");

    [Test]
    public void The_parts_of_the_gate_are_those_of_the_table() =>
        Assert.That(
            Demands().Matches(Contributing).Select(m => m.Groups[1].Value),
            Is.EquivalentTo(Part().Matches(Gate).Select(m => m.Groups[1].Value.Trim('"')))
        );

    [Test]
    public void The_gate_runs_each_command_of_the_table()
    {
        foreach (Match demand in Demands().Matches(Contributing))
        {
            var commands = Code().Matches(demand.Groups[2].Value).Select(m => m.Groups[1].Value).ToArray();
            Assert.That(commands, Is.Not.Empty, demand.Value);
            foreach (var command in commands)
                Assert.That(Runs(command), $"'{command}' of CONTRIBUTING.md, in .ci/run");
        }
    }

    [Test]
    public void Each_part_of_the_long_check_is_run_and_explained()
    {
        var parts = AllParts().Match(Verify).Groups[1].Value.Split(' ');
        Assert.That(Cases().Matches(Verify).Select(m => m.Groups[1].Value), Is.EqualTo(parts), "cases");
        Assert.That(HelpLines().Matches(Verify).Select(m => m.Groups[1].Value), Is.EqualTo(parts), "lines of the help");
    }

    // A part whose filter matches nothing would be noticed at night only.
    [Test]
    public void Each_filter_of_the_long_check_matches_a_fixture()
    {
        var fixtures = Repository
            .Sources("tests")
            .SelectMany(path =>
            {
                var text = Repository.Read(path);
                return Classes()
                    .Matches(text)
                    .Select(m => $"{Namespace().Match(text).Groups[1].Value}.{m.Groups[1].Value}");
            })
            .ToArray();
        var filters = Filters().Matches(Verify).Select(m => m.Groups[1].Value).ToArray();
        Assert.That(filters, Has.Length.EqualTo(6), "filters in verify.sh");
        foreach (var filter in filters)
            Assert.That(fixtures.Where(f => f.Contains(filter, StringComparison.Ordinal)), Is.Not.Empty, filter);
    }

    [TestCase("ci", ".ci/run"), TestCase("nightly", "./dev verify")]
    public void GitHub_runs_the_same_script(string workflow, string command) =>
        Assert.That(
            Repository.Read($".github/workflows/{workflow}.yml"),
            Does.Match($@"(?m)^ *run: {Regex.Escape(command)}$")
        );

    // `./dev test …` is what a part of tests runs.
    private static bool Runs(string command) =>
        Gate.Contains(command, StringComparison.Ordinal)
        || (
            command.StartsWith("./dev test", StringComparison.Ordinal)
            && TestPart().Matches(Gate).Any(m => $"./dev test {m.Groups[1].Value}".TrimEnd() == command)
        );

    [GeneratedRegex(@"^\| ([^|]+?) \| ([^|]*`[^|]*) \| [^|]+ \|$", RegexOptions.Multiline)]
    private static partial Regex Demands();

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Code();

    [GeneratedRegex(@"^[^#\n]*\b(?:command_part|tests_part) (""[^""]+""|[\w-]+)", RegexOptions.Multiline)]
    private static partial Regex Part();

    [GeneratedRegex(@"\btests_part [\w-]+ ?(.*)$", RegexOptions.Multiline)]
    private static partial Regex TestPart();

    [GeneratedRegex(@"^all=\((.+)\)$", RegexOptions.Multiline)]
    private static partial Regex AllParts();

    [GeneratedRegex(@"^    ([a-z-]+)\)", RegexOptions.Multiline)]
    private static partial Regex Cases();

    [GeneratedRegex(@"FullyQualifiedName~([\w.]+)")]
    private static partial Regex Filters();

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex Namespace();

    [GeneratedRegex(@"\bclass (\w+)")]
    private static partial Regex Classes();

    [GeneratedRegex("^#   ([a-z-]+)  +[a-zA-Z.]", RegexOptions.Multiline)]
    private static partial Regex HelpLines();
}
