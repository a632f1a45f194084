using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Orders.Testing;

namespace Orders.Workers.Tests.Flow;

/// <summary>
/// A host of Orders as a process of its own, as in an installation: started by its dll, stopped by SIGTERM.
/// </summary>
internal sealed partial class WorkerProcess : IAsyncDisposable
{
    private static readonly TimeSpan ToListen = TimeSpan.FromSeconds(60);

    private readonly ConcurrentQueue<string> _log = new();
    private readonly TaskCompletionSource<Uri> _listening = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Process _process;

    private WorkerProcess(string dll, IEnumerable<KeyValuePair<string, string?>> settings)
    {
        var start = new ProcessStartInfo("dotnet", [dll])
        {
            WorkingDirectory = Path.GetDirectoryName(dll),
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in settings)
            start.Environment[name.Replace(":", "__", StringComparison.Ordinal)] = value;
        start.Environment["ASPNETCORE_URLS"] = "http://127.0.0.1:0";
        start.Environment["MASSTRANSIT_USAGE_TELEMETRY"] = "false";
        _process = new Process { StartInfo = start };
        _process.OutputDataReceived += (_, line) => Read(line.Data);
        _process.ErrorDataReceived += (_, line) => Read(line.Data);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>The top folder of the repository.</summary>
    public static string RepositoryRoot { get; } = FindRoot();

    /// <summary>Where this configuration is built to, below a project's folder: <c>bin/Debug/net10.0</c>.</summary>
    public static string Output { get; } =
        AppContext.BaseDirectory[
            (
                AppContext.BaseDirectory.LastIndexOf(
                    $"{Path.DirectorySeparatorChar}bin{Path.DirectorySeparatorChar}",
                    StringComparison.Ordinal
                ) + 1
            )..
        ];

    /// <summary>The last lines that it has logged.</summary>
    public IReadOnlyList<string> Lines => [.. _log];

    /// <summary>Where it listens.</summary>
    public Uri Address => _listening.Task.Result;

    /// <summary>The time of a processor that it has used.</summary>
    public TimeSpan Cpu
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    /// <summary>Starts a host and waits until it is ready.</summary>
    /// <param name="project">Folder of the host below <c>src</c>; the solution must have been built.</param>
    /// <param name="settings">Its settings.</param>
    public static async Task<WorkerProcess> StartAsync(
        string project,
        IEnumerable<KeyValuePair<string, string?>> settings
    )
    {
        var dll = Path.Combine(RepositoryRoot, "src", project, Output, $"Orders.{project}.dll");
        Assert.That(dll, Does.Exist, "the host; build the whole solution first");
        return await StartDllAsync(dll, settings);
    }

    /// <summary>The same for a host that was built elsewhere.</summary>
    public static async Task<WorkerProcess> StartDllAsync(
        string dll,
        IEnumerable<KeyValuePair<string, string?>> settings
    )
    {
        var process = new WorkerProcess(dll, settings);
        try
        {
            await process.UntilReadyAsync(Path.GetFileName(dll));
            return process;
        }
        catch
        {
            // Nobody else knows of it.
            await TestContext.Out.WriteLineAsync($"{Path.GetFileName(dll)} did not start. It said:\n{process}");
            await process.DisposeAsync();
            throw;
        }
    }

    /// <summary>Asks it to end, as an orchestrator does.</summary>
    /// <returns>Its exit code and how long it took.</returns>
    public async Task<(int Code, TimeSpan Took)> TerminateAsync()
    {
        var watch = Stopwatch.StartNew();
        using var kill = Process.Start("kill", ["-TERM", _process.Id.ToString(CultureInfo.InvariantCulture)]);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await _process.WaitForExitAsync(patience.Token);
        return (_process.ExitCode, watch.Elapsed);
    }

    /// <summary>The last lines that it has logged.</summary>
    public override string ToString() => string.Join(Environment.NewLine, _log.TakeLast(40));

    private async Task UntilReadyAsync(string name)
    {
        var ended = _process.WaitForExitAsync();
        await Task.WhenAny(_listening.Task, ended).WaitAsync(ToListen);
        Assert.That(ended.IsCompleted, Is.False, $"{name} has ended by itself");
        using var http = new HttpClient { BaseAddress = Address };
        await Eventually.That(
            async () => (int)(await http.GetAsync(new Uri("/health/ready", UriKind.Relative))).StatusCode,
            Is.EqualTo(200),
            $"/health/ready of {name}",
            ToListen
        );
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
    }

    private static string FindRoot()
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (root is not null && !File.Exists(Path.Combine(root.FullName, "Orders.sln")))
            root = root.Parent;
        return root!.FullName;
    }

    private void Read(string? line)
    {
        if (line is null)
            return;
        _log.Enqueue(line);
        while (_log.Count > 2000)
            _log.TryDequeue(out _);
        if (ListeningPattern().Match(line) is { Success: true } match)
            _listening.TrySetResult(new Uri(match.Groups[1].Value));
    }

    [GeneratedRegex(@"Now listening on: (http://[^\s\"",]+)")]
    private static partial Regex ListeningPattern();
}
