using System.Text.RegularExpressions;

namespace Orders.Architecture.Tests;

/// <summary>
/// No folder of the framework imports one that, directly or through others, imports it back. Read from the sources: a
/// namespace can only be named by a <c>using</c>, by its full name, or relative to <c>QueueWorkers</c>.
/// </summary>
public sealed partial class FolderCycleTests
{
    private const string Framework = "src/Infrastructure/QueueWorkers";

    [Test]
    public void No_folder_of_the_framework_imports_one_that_imports_it_back()
    {
        var imports = Imports();
        Assert.That(imports.Keys, Has.Count.GreaterThan(10), "folders found");
        Assert.That(CycleIn(imports), Is.Null);
    }

    [Test]
    public void One_using_that_closes_a_cycle_is_found()
    {
        var imports = Imports();
        Assert.That(imports["Consuming"], Does.Contain("Steps"));
        Add(imports, "Steps", "using QueueWorkers.Consuming;");
        Assert.That(CycleIn(imports), Does.Contain("Steps").And.Contain("Consuming"));
    }

    [Test]
    public void No_folder_names_what_stands_above_the_folders()
    {
        var top = Repository
            .Sources(Framework)
            .Where(path => FolderOf(path) is null)
            .Select(path => Path.GetFileNameWithoutExtension(path))
            .ToArray();
        Assert.That(top, Is.Not.Empty);
        var naming = Repository
            .Sources(Framework)
            .Where(path =>
                FolderOf(path) is not null && top.Any(type => Regex.IsMatch(Repository.Read(path), $@"\b{type}\b"))
            );
        Assert.That(naming, Is.Empty, "files in folders that name a type which registers all folders");
    }

    private static Dictionary<string, HashSet<string>> Imports()
    {
        var imports = new Dictionary<string, HashSet<string>>();
        foreach (var path in Repository.Sources(Framework))
        {
            if (FolderOf(path) is { } folder)
                Add(imports, folder, Repository.Read(path));
        }

        // "Outbox.OutboxWriter" inside the namespace QueueWorkers is an import, too.
        foreach (var path in Repository.Sources(Framework).Where(path => FolderOf(path) is not null))
        {
            var code = Comment().Replace(Repository.Read(path), "");
            foreach (
                var folder in imports
                    .Keys.Where(other =>
                        other != FolderOf(path)
                        && Types(other).Any(type => Regex.IsMatch(code, $@"(?<![\w.]){other}\.{type}\b"))
                    )
                    .ToArray()
            )
                imports[FolderOf(path)!].Add(folder);
        }

        return imports;
    }

    private static void Add(Dictionary<string, HashSet<string>> imports, string folder, string source)
    {
        if (!imports.TryGetValue(folder, out var imported))
            imports[folder] = imported = [];
        imported.UnionWith(
            Named()
                .Matches(source)
                .Select(m => m.Groups[1].Value)
                .Where(other => other != folder && Directory.Exists(Path.Combine(Repository.Root, Framework, other)))
        );
    }

    private static string[] Types(string folder) =>
        [
            .. Directory
                .EnumerateFiles(Path.Combine(Repository.Root, Framework, folder), "*.cs")
                .Select(path => Path.GetFileNameWithoutExtension(path)),
        ];

    // The folders of a cycle with arrows between them; null when there is none.
    private static string? CycleIn(Dictionary<string, HashSet<string>> imports)
    {
        var done = new HashSet<string>();
        return imports
            .Keys.Order(StringComparer.Ordinal)
            .Select(folder => CycleFrom(folder, []))
            .FirstOrDefault(cycle => cycle is not null);

        string? CycleFrom(string folder, List<string> way)
        {
            if (way.IndexOf(folder) is >= 0 and var start)
                return string.Join(" → ", way.Skip(start).Append(folder));
            if (!done.Add(folder))
                return null;
            way.Add(folder);
            var cycle = imports
                .GetValueOrDefault(folder, [])
                .Order(StringComparer.Ordinal)
                .Select(next => CycleFrom(next, way))
                .FirstOrDefault(found => found is not null);
            way.RemoveAt(way.Count - 1);
            return cycle;
        }
    }

    // The folder directly below the framework's; null for a file that stands above the folders.
    private static string? FolderOf(string path)
    {
        var rest = path[(Framework.Length + 1)..].Split('/');
        return rest.Length > 1 ? rest[0] : null;
    }

    [GeneratedRegex(@"(?<![\w.])QueueWorkers\.([A-Z]\w*)")]
    private static partial Regex Named();

    [GeneratedRegex("//.*")]
    private static partial Regex Comment();
}
