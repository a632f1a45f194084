using System.Net;
using System.Text;

namespace Orders.Architecture.Tests.SupplyChain;

/// <summary>
/// A package with a published vulnerability ends the restore, and with it the build. NuGet itself decides, by
/// vulnerability data in the form in which the public registry serves it: a mirror may serve none, so the test serves one entry,
/// that of the GitHub advisory which is named here.
/// </summary>
public sealed class VulnerablePackageTests
{
    private const string Project = "src/Planted/Planted.csproj";
    private const string Package = "Newtonsoft.Json";
    private const string Advisory = "https://github.com/advisories/GHSA-5crp-9r3c-p9vr";

    private Restore _restore = null!;
    private HttpListener _advisories = null!;
    private Task _serving = null!;

    [SetUp]
    public void Serve()
    {
        _restore = new Restore();
        var address = $"http://127.0.0.1:{Dev.Clone.FreePort()}/";
        _advisories = new HttpListener();
        _advisories.Prefixes.Add(address);
        _advisories.Start();

        _serving = ServeAsync(_advisories, address);
        _restore.Write(
            "nuget.config",
            $"""
            <configuration>
              <auditSources>
                <clear />
                <add key="advisories" value="{address}index.json" allowInsecureConnections="true" />
              </auditSources>
            </configuration>
            """
        );
        _restore.Change(
            "Directory.Packages.props",
            text =>
                text.Replace(
                    "</Project>",
                    $"<ItemGroup><PackageVersion Include=\"{Package}\" Version=\"$(Planted)\" /></ItemGroup></Project>",
                    StringComparison.Ordinal
                )
        );
    }

    [TearDown]
    public async Task StopAsync()
    {
        _advisories.Close();
        await _serving;
        _restore.Dispose();
    }

    [TestCase("12.0.3", true)]
    [TestCase("13.0.3", false)]
    public async Task A_planted_vulnerable_package_breaks_the_build(string version, bool isVulnerable)
    {
        _restore.Write(
            Project,
            $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup><Planted>{version}</Planted></PropertyGroup>
              <ItemGroup><PackageReference Include="{Package}" /></ItemGroup>
            </Project>
            """
        );
        var (code, output) = await _restore.RunAsync(Project, isGate: false);
        if (isVulnerable)
        {
            Assert.That(output, Does.Contain("error NU1903").And.Contain(Advisory));
            Assert.That(code, Is.Not.Zero, output);
        }
        else
        {
            Assert.That(code, Is.Zero, output);
        }
    }

    // The package comes with another one, and nobody has named it.
    [Test]
    public async Task A_vulnerable_package_that_another_one_brings_along_breaks_the_build_too()
    {
        _restore.Write(
            Project,
            """
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <Planted>12.0.3</Planted>
                <ManagePackageVersionsCentrally>false</ManagePackageVersionsCentrally>
              </PropertyGroup>
              <ItemGroup><PackageReference Include="Newtonsoft.Json.Bson" Version="1.0.2" /></ItemGroup>
            </Project>
            """
        );
        var (code, output) = await _restore.RunAsync(Project, isGate: false);
        Assert.That(output, Does.Contain("error NU1903").And.Contain(Package));
        Assert.That(code, Is.Not.Zero, output);
    }

    private static async Task ServeAsync(HttpListener listener, string address)
    {
        var pages = new Dictionary<string, string>
        {
            ["/index.json"] =
                $$"""{"version":"3.0.0","resources":[{"@id":"{{address}}vulnerabilities.json","@type":"VulnerabilityInfo/6.7.0"}]}""",
            ["/vulnerabilities.json"] =
                $$"""[{"@name":"base","@id":"{{address}}base.json","@updated":"2026-11-01T00:00:00Z","comment":""}]""",
            ["/base.json"] =
                $$"""{"{{Package.ToLowerInvariant()}}":[{"url":"{{Advisory}}","severity":2,"versions":"(, 13.0.1)"}]}""",
        };
        while (true)
        {
            HttpListenerContext context;
            try
            {
                context = await listener.GetContextAsync();
            }
            catch (Exception end) when (end is HttpListenerException or ObjectDisposedException)
            {
                return;
            }

            var known = pages.TryGetValue(context.Request.Url!.AbsolutePath, out var page);
            context.Response.StatusCode = known ? 200 : 404;
            context.Response.ContentType = "application/json";
            context.Response.Close(Encoding.UTF8.GetBytes(page ?? ""), willBlock: false);
        }
    }
}
