using System.Diagnostics;
using System.IO.Compression;
using Orders.Testing.Servers;

namespace Orders.Samples.Tests;

/// <summary>
/// The package as a stranger gets it: made into a feed of the test's own, then the guide is followed in an empty folder
/// outside of the repository. What the package needs besides itself comes from the packages of this machine.
/// </summary>
[Category("Long")]
public sealed class PackageTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    private readonly string _folder = Directory.CreateTempSubdirectory("queue-workers-").FullName;

    private string Feed => Path.Combine(_folder, "feed");

    [OneTimeSetUp]
    public Task PackAsync() =>
        RunAsync(
            Commands.Root,
            "pack",
            "src/Infrastructure/QueueWorkers",
            "-c",
            "Release",
            "-p:ForPackage=true",
            "-o",
            Feed,
            "--nologo",
            "-v:quiet"
        );

    [OneTimeTearDown]
    public void Remove() => Directory.Delete(_folder, recursive: true);

    [Test]
    public async Task The_package_has_readme_icon_licence_documentation_and_symbols()
    {
        await using var package = await ZipFile.OpenReadAsync(Single("*.nupkg"));
        await using var symbols = await ZipFile.OpenReadAsync(Single("*.snupkg"));
        using var reader = new StreamReader(await package.GetEntry("QueueWorkers.nuspec")!.OpenAsync());
        var specification = await reader.ReadToEndAsync();
        Assert.Multiple(() =>
        {
            Assert.That(
                package.Entries.Select(e => e.FullName),
                Is.SupersetOf(["README.md", "icon.png", "lib/net10.0/QueueWorkers.dll", "lib/net10.0/QueueWorkers.xml"])
            );
            Assert.That(symbols.Entries.Select(e => e.FullName), Does.Contain("lib/net10.0/QueueWorkers.pdb"));
            Assert.That(specification, Does.Contain("<license type=\"expression\">Apache-2.0</license>"));
            Assert.That(specification, Does.Match("<repository type=\"git\" .*commit=\"[0-9a-f]{40}\""));
            Assert.That(specification, Does.Not.Contain("<dependency id=\"Orders."));
            Assert.That(specification, Does.Not.Contain("<dependency id=\"MinVer\""));
        });
    }

    [Test]
    public async Task The_guide_leads_from_an_empty_folder_to_a_parcel_that_is_done()
    {
        var folder = Path.Combine(_folder, "Parcels");
        foreach (var (path, text) in Guide.Files)
            await WriteAsync(
                Path.Combine(folder, path),
                text.Replace("../orders/artifacts/packages", Feed, StringComparison.Ordinal)
            );
        // The guide installs this tool for the whole machine.
        await WriteAsync(
            Path.Combine(folder, ".config", "dotnet-tools.json"),
            await File.ReadAllTextAsync(Path.Combine(Commands.Root, ".config", "dotnet-tools.json"))
        );
        await RunAsync(folder, "tool", "restore");
        await RunAsync(folder, "build", "--nologo", "-v:quiet");
        await RunAsync(folder, "ef", "migrations", "add", "Initial");
        await RunAsync(folder, "build", "--nologo", "-v:quiet");

        var dll = Path.Combine(folder, "bin", "Debug", "net10.0", "Parcels.dll");
        await using var installation = await ParcelsInstallation.DeployAsync(dll);
        await using var host = await SupervisedHost.StartDll(dll, installation.Settings).UntilReadyAsync();
        await installation.UntilCompleteAsync([await installation.PostAsync(host.Address!)]);
    }

    private string Single(string pattern) => Directory.GetFiles(Feed, pattern).Single();

    private static async Task WriteAsync(string path, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        await File.WriteAllTextAsync(path, text);
    }

    private async Task RunAsync(string folder, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", arguments) { WorkingDirectory = folder };
        if (folder != Commands.Root)
        {
            // A package of this version from an earlier run must not be taken for this one.
            start.Environment["NUGET_FALLBACK_PACKAGES"] =
                Environment.GetEnvironmentVariable("NUGET_PACKAGES")
                ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
            start.Environment["NUGET_PACKAGES"] = Path.Combine(_folder, "packages");
        }

        var (code, output) = await Commands.RunAsync(start, Patience);
        Assert.That(code, Is.Zero, $"dotnet {string.Join(' ', arguments)}: {output}");
    }
}
