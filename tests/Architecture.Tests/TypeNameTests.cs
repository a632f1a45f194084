using System.Text.RegularExpressions;

namespace Orders.Architecture.Tests;

/// <summary>
/// No two types of the programs share a name: who searches for one finds one. Read from the sources; a component's type
/// is named by its file. Private types, which nobody sees outside their class, are left out.
/// </summary>
public sealed partial class TypeNameTests
{
    private static readonly string[] Folders = ["src", "demo"];

    [Test]
    public void Each_name_stands_for_one_type()
    {
        var names = Declared().ToArray();
        Assert.That(names, Has.Length.GreaterThan(500), "types found");
        Assert.That(Shared(names), Is.Empty);
    }

    [Test]
    public void A_second_type_of_the_same_name_is_found()
    {
        var names = Declared().Append(("StepContext", "src/Workers/Email/StepContext.cs"));
        Assert.That(Shared(names), Has.Exactly(1).StartsWith("StepContext: "));
    }

    private static string[] Shared(IEnumerable<(string Name, string Path)> names) =>
        [
            .. names
                .GroupBy(n => n.Name, n => n.Path)
                .Where(g => g.Distinct().Count() > 1)
                .Select(g => $"{g.Key}: {string.Join(", ", g.Distinct())}"),
        ];

    private static IEnumerable<(string Name, string Path)> Declared() =>
        Folders.SelectMany(folder =>
            Repository
                .Sources(folder)
                .SelectMany(path => Declaration().Matches(Repository.Read(path)).Select(m => (m.Groups[1].Value, path)))
                .Concat(
                    Repository
                        .Find(folder, "*.razor")
                        .Select(path => (Path.GetFileNameWithoutExtension(path), path))
                        .Where(component => component.Item1 != "_Imports")
                )
        );

    // In the first column every type counts; a nested one is private unless it says otherwise.
    [GeneratedRegex(
        @"^(?: +(?=(?:[a-z]+ )*(?:public|internal|protected) ))?(?:[a-z]+ )*(?:class|record|struct|interface|enum) (\w+)",
        RegexOptions.Multiline
    )]
    private static partial Regex Declaration();
}
