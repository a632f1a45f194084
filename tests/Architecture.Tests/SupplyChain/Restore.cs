using System.Diagnostics;

namespace Orders.Architecture.Tests.SupplyChain;

/// <summary>
/// <c>dotnet restore</c> under this repository's own rules (<c>Directory.Build.props</c>), in a folder of its own.
/// </summary>
internal sealed class Restore : IDisposable
{
    /// <summary>Copies the rules.</summary>
    public Restore()
    {
        string[] rules = ["Directory.Build.props", "Directory.Packages.props", "global.json", ".editorconfig"];
        foreach (var file in rules)
            Copy(file);
    }

    /// <summary>The folder.</summary>
    public string Folder { get; } = Directory.CreateTempSubdirectory("orders-restore-").FullName;

    /// <summary>Copies a file of the repository.</summary>
    /// <param name="path">From the top.</param>
    public void Copy(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(At(path))!);
        File.Copy(Path.Combine(Repository.Root, path), At(path));
    }

    /// <summary>Writes a file.</summary>
    public void Write(string path, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(At(path))!);
        File.WriteAllText(At(path), text);
    }

    /// <summary>Changes a file.</summary>
    public void Change(string path, Func<string, string> change)
    {
        var (before, after) = (File.ReadAllText(At(path)), change(File.ReadAllText(At(path))));
        Assert.That(after, Is.Not.EqualTo(before), $"{path} was to be changed");
        File.WriteAllText(At(path), after);
    }

    /// <summary>Restores a project.</summary>
    /// <param name="project">From the top.</param>
    /// <param name="isGate">Whether as in the gate: with <c>CI=true</c>.</param>
    public async Task<(int Code, string Output)> RunAsync(string project, bool isGate)
    {
        var start = new ProcessStartInfo("dotnet", ["restore", At(project), "--force", "--nologo"])
        {
            WorkingDirectory = Folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // Whether the machine's own source serves vulnerability data is not what is asked here.
        start.Environment.Remove("AuditRequired");
        start.Environment["CI"] = isGate ? "true" : "false";
        start.Environment["DOTNET_CLI_UI_LANGUAGE"] = "en";
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        // What MSBuild has told the process of the tests is not meant for this one.
        foreach (
            var name in start.Environment.Keys.Where(n => n.StartsWith("MSBuild", StringComparison.Ordinal)).ToArray()
        )
            start.Environment.Remove(name);
        using var process = Process.Start(start)!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(4));
        await process.WaitForExitAsync(patience.Token);
        return (process.ExitCode, await output + await errors);
    }

    /// <inheritdoc />
    public void Dispose() => Directory.Delete(Folder, recursive: true);

    private string At(string path) => Path.Combine(Folder, path);
}
