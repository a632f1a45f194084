using System.Text.RegularExpressions;

namespace Orders.Architecture.Tests.SupplyChain;

/// <summary>
/// Attack: another package comes in under the name of one that is used. A lock file that was changed, or that does not
/// fit its project, ends the restore wherever <c>CI=true</c>: in the gate, in <c>./dev test</c> and in the images.
/// </summary>
public sealed partial class LockedPackagesTests
{
    private const string Project = "src/Planted/Planted.csproj";
    private const string Lock = "src/Planted/packages.lock.json";

    private Restore _restore = null!;

    // A project with packages of its own and without projects that it refers to, and the lock file of its first restore.
    [SetUp]
    public async Task PlantAsync()
    {
        _restore = new Restore();
        _restore.Write(
            Project,
            """
            <Project Sdk="Microsoft.NET.Sdk">
              <ItemGroup><PackageReference Include="MailKit" /></ItemGroup>
            </Project>
            """
        );
        var (code, output) = await _restore.RunAsync(Project, isGate: false);
        Assert.That(code, Is.Zero, output);
    }

    [TearDown]
    public void Remove() => _restore.Dispose();

    [Test]
    public async Task A_lock_file_that_fits_is_accepted()
    {
        var (code, output) = await _restore.RunAsync(Project, isGate: true);
        Assert.That(code, Is.Zero, output);
    }

    [Test]
    public async Task A_package_with_another_content_breaks_the_build()
    {
        _restore.Change(
            Lock,
            text => Hash().Replace(text, match => $"{match.Groups[1].Value}{new string('A', 86)}==\"", 1)
        );
        var (code, output) = await _restore.RunAsync(Project, isGate: true);
        Assert.That(code, Is.Not.Zero, output);
        Assert.That(output, Does.Contain("error NU1403"));
    }

    [Test]
    public async Task A_version_in_the_lock_file_that_the_project_does_not_ask_for_breaks_the_build()
    {
        _restore.Change(
            Lock,
            text => text.Replace("\"requested\": \"[4.", "\"requested\": \"[3.", StringComparison.Ordinal)
        );
        var (code, output) = await _restore.RunAsync(Project, isGate: true);
        Assert.That(code, Is.Not.Zero, output);
        Assert.That(output, Does.Contain("error NU1004"));
    }

    [Test]
    public async Task A_package_that_the_lock_file_does_not_name_breaks_the_build()
    {
        _restore.Change(
            Project,
            text =>
                text.Replace(
                    "</ItemGroup>",
                    "<PackageReference Include=\"Cronos\" /></ItemGroup>",
                    StringComparison.Ordinal
                )
        );
        var (code, output) = await _restore.RunAsync(Project, isGate: true);
        Assert.That(code, Is.Not.Zero, output);
        Assert.That(output, Does.Contain("error NU1004"));
    }

    [Test]
    public void Every_project_has_a_lock_file()
    {
        string[] folders = ["src", "tests", "demo", "bench"];
        var missing = folders
            .SelectMany(folder => Repository.Find(folder, "*.csproj"))
            .Where(path => !path.Contains("node_modules", StringComparison.Ordinal))
            .Select(path => $"{path[..path.LastIndexOf('/')]}/packages.lock.json")
            .Where(path => !File.Exists(Path.Combine(Repository.Root, path)));
        Assert.That(missing, Is.Empty);
    }

    [GeneratedRegex("(\"contentHash\": \")[^\"]+\"")]
    private static partial Regex Hash();
}
