namespace Orders.Samples.Tests;

/// <summary>
/// The guide shows the sample as it stands, all of it. <see cref="PackageTests"/> follows the guide in an empty folder.
/// </summary>
public sealed class GuideTests
{
    // What differs: the guide takes the framework from a package.
    private static readonly string[] OfThePackage = ["Parcels.csproj", "nuget.config"];

    private static string Folder => Path.Combine(Commands.Root, "samples", "Parcels");

    [Test]
    public void The_guide_shows_each_file_of_the_sample()
    {
        var files = Directory
            .EnumerateFiles(Folder, "*.cs", SearchOption.AllDirectories)
            .Concat(Directory.EnumerateFiles(Folder, "*.yaml"))
            .Concat(Directory.EnumerateFiles(Folder, "appsettings.json"))
            .Select(path => Path.GetRelativePath(Folder, path).Replace('\\', '/'))
            .Where(path => path.Split('/')[0] is not ("bin" or "obj" or "Migrations"));
        Assert.That(Guide.Files.Keys.Except(OfThePackage), Is.EquivalentTo(files), $"files in {Guide.Page}");
    }

    [Test]
    public void The_guides_files_are_the_samples()
    {
        Assert.Multiple(() =>
        {
            foreach (var (path, text) in Guide.Files.ExceptBy(OfThePackage, file => file.Key))
                Assert.That(text, Is.EqualTo(File.ReadAllText(Path.Combine(Folder, path))), path);
        });
    }
}
