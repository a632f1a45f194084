using System.Text.RegularExpressions;

namespace Orders.Architecture.Tests.Docs.Generated;

/// <summary>
/// The parts of the docs that are generated say what the code says. With <c>ORDERS_DOCS_WRITE=yes</c>, as
/// <c>./dev docs</c> sets it, they are written instead of compared.
/// </summary>
[NonParallelizable]
public sealed partial class GeneratedPartTests
{
    private static readonly (string Name, Func<Task<string>> Write)[] Parts =
    [
        ("settings", SettingsPart.WriteAsync),
        ("compose-settings", () => Task.FromResult(ComposeSettingsPart.Write())),
        ("steps", () => Task.FromResult(StepsPart.Write())),
        ("log-events", () => Task.FromResult(LogEventsPart.Write())),
        ("metrics", () => Task.FromResult(MetricsPart.Write())),
        ("commands", () => Task.FromResult(CommandsPart.Write())),
        ("routes", RoutesPart.WriteAsync),
        ("open-ports", () => Task.FromResult(OpenPortsPart.Write())),
    ];

    private static readonly bool Writes = Environment.GetEnvironmentVariable("ORDERS_DOCS_WRITE") == "yes";

    private static IEnumerable<string> Names => Parts.Select(part => part.Name);

    [TestCaseSource(nameof(Names))]
    public async Task Says_what_the_code_says(string name)
    {
        var pages = Pages().Where(page => Marked(page, name).Count > 0).ToArray();
        Assert.That(
            pages,
            Has.Length.EqualTo(1),
            $"pages in docs with the part '<!-- generated: {name}; ./dev docs -->'"
        );
        var page = pages.Single();
        Assert.That(Marked(page, name), Has.Count.EqualTo(1), $"parts '{name}' in {page}");
        var found = Marked(page, name)[0];
        var text = await Parts.Single(part => part.Name == name).Write();
        var expected = $"\n{text.ReplaceLineEndings("\n").Trim()}\n\n";
        if (Writes)
        {
            var source = Repository.Read(page);
            await File.WriteAllTextAsync(
                Path.Combine(Repository.Root, page),
                source[..found.Index] + expected + source[(found.Index + found.Length)..]
            );
            return;
        }

        Assert.That(
            found.Value.ReplaceLineEndings("\n"),
            Is.EqualTo(expected),
            $"part '{name}' of {page} differs from the code: run ./dev docs"
        );
    }

    [Test]
    public async Task The_lists_of_deploy_settings_have_the_settings_that_the_code_has()
    {
        var files = await SettingsFiles.WriteAsync();
        var folder = Path.Combine(Repository.Root, SettingsFiles.Folder);
        if (Writes)
        {
            foreach (var old in Directory.GetFiles(folder))
                File.Delete(old);
            foreach (var (name, text) in files)
                await File.WriteAllTextAsync(Path.Combine(folder, name), text);
            return;
        }

        Assert.That(
            Directory
                .GetFiles(folder)
                .ToDictionary(path => Path.GetFileName(path), path => File.ReadAllText(path).ReplaceLineEndings("\n")),
            Is.EquivalentTo(files),
            $"files of {SettingsFiles.Folder}: run ./dev docs"
        );
    }

    [Test]
    public void Every_mark_names_a_part() =>
        Assert.That(
            Pages().SelectMany(page => Mark().Matches(Repository.Read(page))).Select(m => m.Groups["name"].Value),
            Is.SubsetOf(Names),
            "marks '<!-- generated: NAME; ./dev docs -->'; the names are in GeneratedPartTests"
        );

    private static IEnumerable<string> Pages() => Repository.Find("docs", "*.md").Append("README.md");

    private static List<Group> Marked(string page, string name) =>
        [
            .. Mark()
                .Matches(Repository.Read(page))
                .Where(m => m.Groups["name"].Value == name)
                .Select(m => m.Groups["text"]),
        ];

    [GeneratedRegex(
        "^<!-- generated: (?<name>[a-z-]+); ./dev docs -->\n(?<text>.*?)^<!-- /generated -->$",
        RegexOptions.Multiline | RegexOptions.Singleline
    )]
    private static partial Regex Mark();
}
