using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Orders.Architecture.Tests;
using Orders.Testing;

namespace Orders.CrashPoints.Tests.Lanes;

/// <summary>
/// A host in its test build, as a process of its own with a supervisor: whenever it dies it is started again, without
/// any failpoint. Failpoints are armed through its standard input.
/// </summary>
internal sealed partial class HostProcess : IAsyncDisposable
{
    private const int KeptLines = 300;

    private readonly string _assembly;
    private readonly IReadOnlyDictionary<string, string?> _settings;
    private readonly ConcurrentQueue<string> _lines = new();
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(5) };
    private readonly Task _supervising;
    private volatile Process? _process;
    private volatile Uri? _address;
    private volatile string _armed = "";
    private volatile string _fired = "";
    private volatile bool _stopping;
    private int _starts;
    private long _startedAt;

    /// <summary>Starts one.</summary>
    /// <param name="assembly">The host's assembly, such as <c>Orders.Workers</c>.</param>
    /// <param name="settings">Its settings, as in configuration.</param>
    public HostProcess(string assembly, IReadOnlyDictionary<string, string?> settings)
    {
        (_assembly, _settings) = (assembly, settings);
        _supervising = Task.Run(SuperviseAsync);
    }

    /// <summary>Where it listens; another port after each start. Null while it starts.</summary>
    public Uri? Address => _address;

    /// <summary>How often it was started.</summary>
    public int Starts => Volatile.Read(ref _starts);

    /// <summary>
    /// When it was started the last time; whatever was before is dead. The database's clock is this machine's.
    /// </summary>
    public DateTimeOffset StartedAt => new(Volatile.Read(ref _startedAt), TimeSpan.Zero);

    /// <summary>Waits until it can do its work.</summary>
    public async Task UntilReadyAsync()
    {
        try
        {
            await Eventually.Is(IsReadyAsync, $"{_assembly} is ready", TimeSpan.FromSeconds(90));
        }
        catch (AssertionException)
        {
            await TestContext.Out.WriteLineAsync($"The last lines of {_assembly}, started {Starts} times:\n{this}");
            throw;
        }
    }

    /// <summary>Arms a failpoint; hits are counted from now on. Empty disarms.</summary>
    public async Task ArmAsync(string plan)
    {
        _armed = _fired = "";
        await _process!.StandardInput.WriteLineAsync(plan);
        await _process.StandardInput.FlushAsync();
        await Eventually.That(() => _armed, Is.EqualTo($"failpoints armed: {plan}"), $"the answer of {_assembly}");
    }

    /// <summary>Whether a failpoint has fired since the last one was armed.</summary>
    public bool HasFired(string failpoint) => _fired == failpoint;

    /// <summary>Kills it, from outside; the supervisor starts it again.</summary>
    public void Kill() => _process!.Kill();

    /// <summary>Kills it and waits until it was started anew.</summary>
    public async Task ReplaceAsync()
    {
        var starts = Starts;
        Kill();
        await UntilReplacedAsync(starts);
    }

    /// <summary>Stops it where it is, until it is thawed.</summary>
    public Task FreezeAsync() => SignalAsync("STOP");

    /// <summary>Lets it go on.</summary>
    public Task ThawAsync() => SignalAsync("CONT");

    /// <summary>Waits until it was started anew.</summary>
    /// <param name="starts">How often it had been started before.</param>
    public async Task UntilReplacedAsync(int starts)
    {
        await Eventually.That(() => Starts, Is.GreaterThan(starts), $"starts of {_assembly}");
        await UntilReadyAsync();
    }

    /// <summary>What it said last.</summary>
    public override string ToString() => string.Join('\n', _lines);

    /// <summary>Kills it for good.</summary>
    public async ValueTask DisposeAsync()
    {
        _stopping = true;
        try
        {
            _process?.Kill();
        }
        catch (InvalidOperationException)
        {
            // It has just ended by itself; the supervisor starts no other.
        }

        await _supervising;
        _http.Dispose();
    }

    private async Task SignalAsync(string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", _process!.Id.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync();
        Assert.That(kill.ExitCode, Is.Zero, $"kill -{signal}");
    }

    private async Task SuperviseAsync()
    {
        while (!_stopping)
        {
            Volatile.Write(ref _startedAt, DateTimeOffset.UtcNow.Ticks);
            using var process = Process.Start(StartInfo())!;
            process.OutputDataReceived += (_, line) => Heard(line.Data);
            process.ErrorDataReceived += (_, line) => Heard(line.Data);
            process.BeginOutputReadLine();
            process.BeginErrorReadLine();
            _process = process;
            Interlocked.Increment(ref _starts);
            if (_stopping)
                process.Kill();
            await process.WaitForExitAsync();
            _address = null;
        }
    }

    private ProcessStartInfo StartInfo()
    {
        // From its own folder: settings that a host brings along lie beside it.
        var folder = Path.Combine(Repository.Root, "src", _assembly["Orders.".Length..], "bin/Debug/net10.0");
        var start = new ProcessStartInfo("dotnet", [Path.Combine(folder, $"{_assembly}.dll")])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder,
        };
        foreach (var (name, value) in _settings)
            start.Environment[name.Replace(":", "__", StringComparison.Ordinal)] = value;
        start.Environment["FAILPOINTS"] = "stdin";
        start.Environment["Logging__LogLevel__Microsoft.Hosting.Lifetime"] = "Information";
        start.Environment["ASPNETCORE_URLS"] = "http://127.0.0.1:0";
        // Processes that live for seconds: no profile is worth its cost.
        start.Environment["DOTNET_TieredPGO"] = "0";
        return start;
    }

    private void Heard(string? line)
    {
        if (line is null)
            return;
        _lines.Enqueue(line);
        while (_lines.Count > KeptLines)
            _lines.TryDequeue(out _);
        if (Listening().Match(line) is { Success: true } listening)
            _address = new Uri(listening.Groups[1].Value);
        else if (line.StartsWith("failpoint fired: ", StringComparison.Ordinal))
            _fired = line["failpoint fired: ".Length..];
        else if (line.StartsWith("failpoints armed: ", StringComparison.Ordinal))
            _armed = line;
    }

    private async Task<bool> IsReadyAsync()
    {
        if (_address is not { } address)
            return false;
        try
        {
            using var answer = await _http.GetAsync(new Uri(address, "/health/ready"));
            return answer.IsSuccessStatusCode;
        }
        catch (Exception exception) when (exception is HttpRequestException or TaskCanceledException)
        {
            return false;
        }
    }

    [GeneratedRegex(@"Now listening on: (http://\S+)")]
    private static partial Regex Listening();
}
