namespace Orders.Architecture.Tests;

/// <summary>A folder of sources can be read at a glance: what grows beyond that is split by what its files do.</summary>
public sealed class FolderSizeTests
{
    private const int MostFiles = 15;

    // Why a folder may hold more.
    private static readonly Dictionary<string, string> Exceptions = new()
    {
        ["src/Infrastructure/Orders"] = "the tables of the application, which the one migration names by namespace",
    };

    [Test]
    public void No_folder_holds_more_than_fifteen_files()
    {
        var crowded = Crowded(Repository.Sources("src")).Where(folder => !Exceptions.ContainsKey(folder));
        Assert.That(crowded, Is.Empty, $"folders of more than {MostFiles} files: split them");
    }

    [Test]
    public void Each_exception_is_still_one() =>
        Assert.That(Exceptions.Keys, Is.SubsetOf(Crowded(Repository.Sources("src"))), "exceptions no longer needed");

    [Test]
    public void One_file_too_many_is_found()
    {
        var files = Enumerable.Range(0, MostFiles + 1).Select(n => $"src/Crowded/File{n}.cs").ToArray();
        Assert.Multiple(() =>
        {
            Assert.That(Crowded(files), Is.EqualTo(["src/Crowded"]));
            Assert.That(Crowded(files.Skip(1)), Is.Empty);
        });
    }

    private static IEnumerable<string> Crowded(IEnumerable<string> files) =>
        files
            .GroupBy(path => path[..path.LastIndexOf('/')])
            .Where(folder => folder.Count() > MostFiles)
            .Select(folder => folder.Key);
}
