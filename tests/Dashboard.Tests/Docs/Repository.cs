namespace Orders.Dashboard.Tests.Docs;

/// <summary>The pages of the repository that the tests run in.</summary>
internal static class Repository
{
    /// <summary>Its top folder.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>README.md and the pages of docs, without decision records and lab notes.</summary>
    public static IEnumerable<string> Pages =>
        Directory
            .EnumerateFiles(Path.Combine(Root, "docs"), "*.md")
            .Select(path => $"docs/{Path.GetFileName(path)}")
            .Order(StringComparer.Ordinal)
            .Prepend("README.md");

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Orders.sln")))
                return folder.FullName;
        }

        throw new DirectoryNotFoundException(
            $"Expected Orders.sln in a folder above {AppContext.BaseDirectory}, found none; run the tests inside the repository."
        );
    }
}
