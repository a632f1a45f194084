using System.Text.Json;

namespace Orders.Architecture.Tests.Containers;

/// <summary><c>./dev sbom</c> names what an image holds: each package of it, and no other.</summary>
[Category("Long")]
[Platform("Linux")]
[NonParallelizable]
public sealed class SbomTests
{
    private string _folder = null!;
    private RunningInstallation _system = null!;

    [OneTimeSetUp]
    public async Task WriteAsync()
    {
        _system = await ContainersSetUp.InstallationAsync();
        _folder = Directory.CreateTempSubdirectory("orders-sbom-").FullName;
        await _system.DevAsync("sbom", "--output", _folder);
    }

    [OneTimeTearDown]
    public void Remove() => Directory.Delete(_folder, recursive: true);

    [TestCase("api", "Orders.Producer.Api")]
    [TestCase("dashboard", "Orders.Dashboard")]
    [TestCase("workers", "Orders.Workers")]
    [TestCase("outside-world", "Orders.OutsideWorld")]
    public async Task Each_package_of_the_image_is_listed_and_no_other(string image, string program)
    {
        using var bom = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(_folder, $"{image}.cdx.json")));
        Assert.That(bom.RootElement.GetProperty("bomFormat").GetString(), Is.EqualTo("CycloneDX"));
        Assert.That(bom.RootElement.GetProperty("specVersion").GetString(), Is.EqualTo("1.6"));
        var purls = bom
            .RootElement.GetProperty("components")
            .EnumerateArray()
            .Where(component => component.TryGetProperty("purl", out _))
            .Select(component => Uri.UnescapeDataString(component.GetProperty("purl").GetString()!))
            .ToArray();
        Assert.That(purls, Is.Unique);

        // What the program loads at run time: the packages in its .deps.json that have files.
        using var dependencies = JsonDocument.Parse(await InImageAsync(image, "cat", $"/app/{program}.deps.json"));
        var packages = dependencies
            .RootElement.GetProperty("targets")
            .EnumerateObject()
            // One without and one with the runtime identifier.
            .SelectMany(target => target.Value.EnumerateObject())
            .Where(library => Files.Any(kind => library.Value.TryGetProperty(kind, out _)))
            .Select(library => library.Name)
            .Where(name =>
                dependencies.RootElement.GetProperty("libraries").GetProperty(name).GetProperty("type").GetString()
                == "package"
            )
            .Select(name => $"pkg:nuget/{name.Replace('/', '@')}")
            .Distinct()
            .ToArray();
        Assert.That(packages, Has.Length.GreaterThan(image == "outside-world" ? 0 : 10));
        var debian = RunningInstallation
            .Lines(await InImageAsync(image, "dpkg-query", "-W", "-f", "${Package}@${Version}\\n"))
            .ToArray();
        Assert.Multiple(() =>
        {
            Assert.That(
                purls.Where(p => p.StartsWith("pkg:nuget/", StringComparison.Ordinal)),
                Is.EquivalentTo(packages).IgnoreCase,
                "NuGet packages"
            );
            Assert.That(
                purls
                    .Where(p => p.StartsWith("pkg:deb/", StringComparison.Ordinal))
                    .Select(p => p.Split('/', 3)[2].Split('?')[0]),
                Is.EquivalentTo(debian),
                "Debian packages"
            );
            Assert.That(purls, Has.Some.StartsWith("pkg:generic/Microsoft.NETCore.App@"), "the runtime");
            Assert.That(
                purls.Any(p => p.StartsWith("pkg:npm/htmx.org@", StringComparison.Ordinal)),
                Is.EqualTo(image == "dashboard"),
                "npm packages"
            );
            // Tools of the build and of the tests are in no image.
            Assert.That(purls, Has.None.Contains("NUnit").And.None.Contains("Testcontainers"));
        });
    }

    [Test]
    public async Task The_versions_are_those_of_the_lock_file()
    {
        using var locked = JsonDocument.Parse(Repository.Read("src/Workers/packages.lock.json"));
        var mailKit = locked
            .RootElement.GetProperty("dependencies")
            .EnumerateObject()
            .First()
            .Value.GetProperty("MailKit")
            .GetProperty("resolved")
            .GetString();
        Assert.That(
            await File.ReadAllTextAsync(Path.Combine(_folder, "workers.cdx.json")),
            Does.Contain($"pkg:nuget/MailKit@{mailKit}\"")
        );
    }

    private static readonly string[] Files = ["runtime", "native", "runtimeTargets", "resources"];

    private Task<string> InImageAsync(string image, string program, params string[] arguments) =>
        RunningInstallation.DockerAsync([
            "run",
            "--rm",
            "--network",
            "none",
            "--entrypoint",
            program,
            $"{_system.Project}-{image}",
            .. arguments,
        ]);
}
