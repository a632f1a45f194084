using System.Diagnostics;
using Orders.Architecture.Tests;
using Orders.CrashPoints.Tests.Matrix;

namespace Orders.CrashPoints.Tests;

/// <summary>What is shipped has no failpoints. After the matrix, and alone: building takes both processors.</summary>
[NonParallelizable]
[Category("Long")]
public sealed class ReleaseBuildTests
{
    [Test]
    public async Task A_release_build_holds_no_failpoint()
    {
        Assert.That(
            Failpoints.Names,
            Is.Not.Empty,
            "failpoints of this build, which is the one for tests: dotnet test, without --configuration Release"
        );
        foreach (
            var host in Failpoints
                .Assemblies.Where(a => a is not ("Orders.Infrastructure" or "Orders.Smtp" or "QueueWorkers"))
                .Select(a => a["Orders.".Length..])
        )
            await BuildAsync(host);

        foreach (var assembly in Failpoints.Assemblies)
        {
            var folder = Path.Combine(Repository.Root, Repository.FolderOf(assembly), "bin/Release/net10.0");
            Assert.That(Failpoints.NamesIn(Path.Combine(folder, $"{assembly}.dll")), Is.Empty, assembly);
        }
    }

    private static async Task BuildAsync(string host)
    {
        // Servers that outlive the build would hold its output open, and reading it would never end.
        var start = new ProcessStartInfo(
            "dotnet",
            [
                "build",
                Path.Combine(Repository.Root, "src", host),
                "--configuration",
                "Release",
                "--no-restore",
                "-v:quiet",
                "-nologo",
                "-p:RunAnalyzers=false",
                "--disable-build-servers",
            ]
        )
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var build = Process.Start(start)!;
        var errors = build.StandardError.ReadToEndAsync();
        var output = await build.StandardOutput.ReadToEndAsync();
        await build.WaitForExitAsync();
        Assert.That(build.ExitCode, Is.Zero, $"dotnet build {host}: {output}{await errors}");
    }
}
