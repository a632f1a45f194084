using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.RegularExpressions;

namespace Orders.Testing.Servers;

/// <summary>
/// A host of Orders as a process of its own, started again whenever it ends, as <c>restart: unless-stopped</c> of
/// compose and the kubelet do. The project of the test refers to the host, so that it is built.
/// </summary>
public sealed partial class SupervisedHost : IAsyncDisposable
{
    private const int KeptLines = 400;

    private readonly string _dll;
    private readonly IReadOnlyDictionary<string, string?> _settings;
    private readonly ConcurrentQueue<string> _lines = new();
    private readonly ConcurrentQueue<int> _exits = new();
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(10) };
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _supervising;
    private volatile Uri? _address;
    private volatile Process? _process;

    private SupervisedHost(string dll, IReadOnlyDictionary<string, string?> settings)
    {
        (_dll, _settings) = (dll, settings);
        _supervising = SuperviseAsync();
    }

    /// <summary>The exit codes of the processes that have ended by themselves, in order.</summary>
    public IReadOnlyList<int> Exits => [.. _exits];

    /// <summary>Where it listens; null while it starts.</summary>
    public Uri? Address => _address;

    /// <summary>Starts one.</summary>
    /// <param name="project">Its folder below <c>src</c>.</param>
    /// <param name="settings">Its settings.</param>
    public static SupervisedHost Start(string project, IReadOnlyDictionary<string, string?> settings) =>
        StartDll(Built(Path.Combine("src", project), $"Orders.{project}.dll"), settings);

    /// <summary>Starts a host that lies somewhere.</summary>
    /// <param name="dll">The program.</param>
    /// <param name="settings">Its settings.</param>
    public static SupervisedHost StartDll(string dll, IReadOnlyDictionary<string, string?> settings) =>
        new(dll, settings);

    /// <summary>Where the build of this very configuration has put a program of the repository.</summary>
    /// <param name="project">The folder of its project, from the top.</param>
    /// <param name="name">Its file.</param>
    public static string Built(string project, string name)
    {
        var separator = Path.DirectorySeparatorChar;
        var here = AppContext.BaseDirectory;
        var output = here[(here.LastIndexOf($"{separator}bin{separator}", StringComparison.Ordinal) + 1)..];
        var root = new DirectoryInfo(here);
        while (!File.Exists(Path.Combine(root.FullName, "Orders.sln")))
            root = root.Parent ?? throw new InvalidOperationException($"No Orders.sln above {here}.");
        return Path.Combine(root.FullName, project, output, name);
    }

    /// <summary>Waits until it can do its work.</summary>
    public async Task<SupervisedHost> UntilReadyAsync()
    {
        try
        {
            await Eventually.That(
                () => StatusAsync("/health/ready"),
                Is.EqualTo(200),
                $"/health/ready of {_dll}",
                TimeSpan.FromMinutes(2)
            );
        }
        catch (AssertionException silent)
        {
            throw new AssertionException(
                $"{silent.Message}\nExit codes: {string.Join(", ", Exits)}. The last lines of {_dll}:\n{this}",
                silent
            );
        }

        return this;
    }

    /// <summary>The status of an answer; 0 while nobody answers.</summary>
    public async Task<int> StatusAsync(string path)
    {
        if (_address is not { } address)
            return 0;
        try
        {
            using var answer = await _http.GetAsync(new Uri(address, path));
            return (int)answer.StatusCode;
        }
        catch (Exception silent) when (silent is HttpRequestException or TaskCanceledException)
        {
            return 0;
        }
    }

    /// <summary>Kills the process that runs now; another one is started.</summary>
    public void Kill() => _process!.Kill(entireProcessTree: true);

    /// <summary>The last lines that it has logged.</summary>
    public override string ToString() => string.Join(Environment.NewLine, _lines);

    /// <summary>Kills it for good.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _supervising;
        _http.Dispose();
        _stop.Dispose();
    }

    private async Task SuperviseAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            using var process = new Process { StartInfo = StartInfo() };
            process.OutputDataReceived += (_, line) => Read(line.Data);
            process.ErrorDataReceived += (_, line) => Read(line.Data);
            process.Start();
            _process = process;
            process.BeginOutputReadLine();
            process.BeginErrorReadLine();
            await process.WaitForExitAsync(_stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _address = null;
            if (process.HasExited)
            {
                _exits.Enqueue(process.ExitCode);
                continue;
            }

            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
        }
    }

    private ProcessStartInfo StartInfo()
    {
        // From its own folder: settings that a host brings along lie beside it.
        var start = new ProcessStartInfo("dotnet", [_dll])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Path.GetDirectoryName(_dll)!,
        };
        foreach (var (name, value) in _settings)
            start.Environment[name.Replace(":", "__", StringComparison.Ordinal)] = value;
        start.Environment["ASPNETCORE_URLS"] = "http://127.0.0.1:0";
        start.Environment["ASPNETCORE_ENVIRONMENT"] = "Development";
        start.Environment["Logging__LogLevel__Microsoft.Hosting.Lifetime"] = "Information";
        start.Environment["MASSTRANSIT_USAGE_TELEMETRY"] = "false";
        // A process that lives for a minute: no profile is worth its cost.
        start.Environment["DOTNET_TieredPGO"] = "0";
        return start;
    }

    private void Read(string? line)
    {
        if (line is null)
            return;
        _lines.Enqueue(line);
        while (_lines.Count > KeptLines)
            _lines.TryDequeue(out _);
        if (
            Listening().Match(line) is { Success: true } match
            && new Uri(match.Groups[1].Value) is var address
            && address.Port.ToString(System.Globalization.CultureInfo.InvariantCulture)
                != _settings.GetValueOrDefault("Metrics:Port")
        )
            _address = address;
    }

    [GeneratedRegex(@"Now listening on: (http://\S+)")]
    private static partial Regex Listening();
}
