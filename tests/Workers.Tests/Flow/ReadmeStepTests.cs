using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Orders.Testing;
using QueueWorkers.Steps;

namespace Orders.Workers.Tests.Flow;

/// <summary>
/// The example in README.md, "Add a step", taken literally: its C# goes into a copy of <c>src/Workers</c>, which is
/// built with all checks of the repository and deployed over an installation with four steps; its service goes into a
/// copy of <c>docker-compose.yml</c>, whose environment the step runs in.
/// </summary>
public sealed partial class ReadmeStepTests
{
    [Test]
    public async Task The_example_builds_and_consumes_a_message()
    {
        var folder = Path.Combine(WorkerProcess.RepositoryRoot, "artifacts", $"readme-{Guid.NewGuid():N}");
        try
        {
            var dll = await BuildAsync(Path.Combine(folder, "src", "Workers"));
            await RunAsync(dll, await ComposeAsync(folder));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task RunAsync(string dll, IReadOnlyDictionary<string, string> compose)
    {
        var calls = new ConcurrentQueue<(string Key, Guid Order)>();
        await using var service = await LoyaltyServiceAsync(calls);
        await using var system = await OrdersSystem.CreateAsync(Steps.Catalogue);
        await RunToItsEndAsync(dll, system.Settings(("Deploy:DemoCatalogue", "false")), "deploy");

        await using var loyalty = await WorkerProcess.StartDllAsync(
            dll,
            [
                .. compose.Select(variable => KeyValuePair.Create(variable.Key, (string?)variable.Value)),
                // Where the services are that are called by their compose names there.
                .. system.Settings(
                    ("Workers:Schedules", "false"),
                    ("Loyalty:Url", $"{service.Urls.Single()}/"),
                    // The one in the connection string of the tests' server.
                    ("Database:Password", "")
                ),
            ]
        );
        await using var inventory = await system.StartAsync("inventory");
        var order = await system.PostAsync(inventory, ("MUG-BLUE", 1));

        await system.UntilAsync(order, "loyalty", StepStatus.Done);
        Assert.That(calls, Is.EqualTo([($"{order}", order)]), "calls of the loyalty service");
    }

    // A copy of src/Workers with the example in it, as a reader would have it after following the README.
    private static async Task<string> BuildAsync(string folder)
    {
        var root = WorkerProcess.RepositoryRoot;
        var workers = Path.Combine(root, "src", "Workers");
        foreach (var file in Directory.EnumerateFiles(workers, "*", SearchOption.AllDirectories))
        {
            var path = Path.GetRelativePath(workers, file);
            if (path.Split(Path.DirectorySeparatorChar)[0] is "bin" or "obj")
                continue;
            var copy = Path.Combine(folder, path);
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }

        var project = Path.Combine(folder, "Workers.csproj");
        var infrastructure = Path.Combine(root, "src", "Infrastructure");
        await File.WriteAllTextAsync(
            project,
            (await File.ReadAllTextAsync(project)).Replace(
                "../Infrastructure",
                infrastructure,
                StringComparison.Ordinal
            )
        );
        await AddExampleAsync(folder);

        // What it refers to is built already: the tests refer to it, too.
        await RunToItsEndAsync(
            "build",
            new Dictionary<string, string?>(),
            project,
            "--no-dependencies",
            "--nologo",
            "-v:quiet",
            $"-p:Configuration={WorkerProcess.Output.Split(Path.DirectorySeparatorChar)[1]}"
        );
        return Path.Combine(folder, WorkerProcess.Output, "Orders.Workers.dll");
    }

    private static async Task AddExampleAsync(string folder)
    {
        var blocks = await BlocksAsync("csharp");
        Assert.That(blocks, Has.Length.EqualTo(2), "C# blocks in README.md, 'Add a step': the step, its registration");
        foreach (var (path, code) in blocks)
        {
            var file = Path.Combine(folder, Path.GetRelativePath("src/Workers", path));
            if (!File.Exists(file))
            {
                Directory.CreateDirectory(Path.GetDirectoryName(file)!);
                await File.WriteAllTextAsync(file, code);
                continue;
            }

            // Lines for a file that exists: usings to the others, the rest behind the registrations that are there.
            var old = await File.ReadAllTextAsync(file);
            var usings = string.Concat(code.Split('\n').Where(IsUsing).Select(line => $"{line}\n"));
            var rest = string.Join('\n', code.Split('\n').Where(line => !IsUsing(line)));
            var end = old.IndexOf("            .PublishesEvent", StringComparison.Ordinal);
            Assert.That(end, Is.Positive, $"place for a registration in {path}");
            await File.WriteAllTextAsync(file, usings + old[..end] + rest + old[end..]);
        }

        static bool IsUsing(string line) => line.StartsWith("using ", StringComparison.Ordinal);
    }

    // The environment of the example's service, as docker compose reads it.
    private static async Task<IReadOnlyDictionary<string, string>> ComposeAsync(string folder)
    {
        var (path, service) = (await BlocksAsync("yaml")).Single();
        var compose = await File.ReadAllTextAsync(Path.Combine(WorkerProcess.RepositoryRoot, path));
        var copy = Path.Combine(folder, path);
        var lines = service.TrimEnd('\n').Split('\n').Select(line => $"  {line}\n");
        await File.WriteAllTextAsync(
            copy,
            compose.Replace("\nservices:\n", $"\nservices:\n{string.Concat(lines)}\n", StringComparison.Ordinal)
        );
        return await ComposeSettings.InAsync(copy, "loyalty");
    }

    // The fenced blocks of one language in the section; each begins with a comment that names its file.
    private static async Task<(string Path, string Text)[]> BlocksAsync(string language)
    {
        var readme = await File.ReadAllTextAsync(Path.Combine(WorkerProcess.RepositoryRoot, "README.md"));
        return
        [
            .. Block()
                .Matches(Section().Match(readme).Value)
                .Where(block => block.Groups["language"].Value == language)
                .Select(block => (block.Groups["path"].Value, block.Groups["text"].Value)),
        ];
    }

    private static async Task<WebApplication> LoyaltyServiceAsync(ConcurrentQueue<(string Key, Guid Order)> calls)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        var app = builder.Build();
        app.MapPost(
            "/points",
            (JsonElement body, HttpRequest request) =>
                calls.Enqueue(($"{request.Headers["Idempotency-Key"]}", body.GetProperty("orderId").GetGuid()))
        );
        await app.StartAsync();
        return app;
    }

    private static async Task RunToItsEndAsync(
        string command,
        IReadOnlyDictionary<string, string?> settings,
        params string[] arguments
    )
    {
        var start = new ProcessStartInfo("dotnet", [command, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in settings)
            start.Environment[name.Replace(":", "__", StringComparison.Ordinal)] = value;
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        try
        {
            await process.WaitForExitAsync(patience.Token);
        }
        finally
        {
            process.Kill(entireProcessTree: true);
        }

        Assert.That(process.ExitCode, Is.Zero, $"{command}: {await output}{await error}");
    }

    [GeneratedRegex(@"^## Add a step$.*?(?=^## )", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Section();

    [GeneratedRegex(
        @"^```(?<language>\w+)\n(?://|\#) (?<path>\S+)\n(?<text>.*?)^```$",
        RegexOptions.Multiline | RegexOptions.Singleline
    )]
    private static partial Regex Block();
}
