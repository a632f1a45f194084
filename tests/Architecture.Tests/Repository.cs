namespace Orders.Architecture.Tests;

/// <summary>The files of the repository that the tests run in.</summary>
internal static class Repository
{
    /// <summary>Its top folder.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>The text of a file, by its path from the top.</summary>
    public static string Read(string path) => File.ReadAllText(Path.Combine(Root, path));

    /// <summary>
    /// Source files below a folder, as paths from the top with forward slashes; generated and built ones left out.
    /// </summary>
    public static IEnumerable<string> Sources(string folder) =>
        Find(folder, "*.cs").Where(path => !path.Contains("/Migrations/", StringComparison.Ordinal));

    /// <summary>Files below a folder.</summary>
    public static IEnumerable<string> Find(string folder, string pattern) =>
        Directory
            .EnumerateFiles(Path.Combine(Root, folder), pattern, SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(Root, path).Replace('\\', '/'))
            .Where(path =>
                !path.Contains("/obj/", StringComparison.Ordinal) && !path.Contains("/bin/", StringComparison.Ordinal)
            );

    /// <summary>The name of a project's assembly.</summary>
    public static string AssemblyOf(string project) =>
        System.Xml.Linq.XDocument.Parse(Read(project)).Descendants("AssemblyName").Single().Value;

    /// <summary>The folder of the project that an assembly is built from.</summary>
    public static string FolderOf(string assembly) =>
        Path.GetDirectoryName(Find("src", "*.csproj").Single(project => AssemblyOf(project) == assembly))!;

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
