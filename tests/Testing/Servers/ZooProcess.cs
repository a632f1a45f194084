using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;

namespace Orders.Testing.Servers;

/// <summary>A worker process of its own (<c>ZooWorker</c>), to be killed. The project of the test refers to ZooWorker, so that it lies beside the test's assembly.</summary>
public sealed class ZooProcess : IAsyncDisposable
{
    private readonly ConcurrentQueue<string> _output = new();
    private readonly Process _process;

    private ZooProcess(Process process)
    {
        _process = process;
        process.OutputDataReceived += (_, line) => Keep(line.Data);
        process.ErrorDataReceived += (_, line) => Keep(line.Data);
    }

    /// <summary>Whether it has ended, by itself or by us.</summary>
    public bool HasExited => _process.HasExited;

    /// <summary>What it said last.</summary>
    public string Output => string.Join(Environment.NewLine, _output.TakeLast(80));

    /// <summary>Starts one.</summary>
    /// <param name="system">The installation it works in.</param>
    /// <param name="steps">As in <c>Workers__Steps</c>.</param>
    /// <param name="settings">Further settings.</param>
    public static ZooProcess Start(OrdersSystem system, string steps, params IEnumerable<(string Name, string? Value)> settings)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "Orders.ZooWorker.dll")]) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in system.Settings([("Workers:Steps", steps), .. settings]))
            start.Environment[name.Replace(":", "__", StringComparison.Ordinal)] = value;
        // No crash dumps of processes that are meant to crash.
        start.Environment["DOTNET_DbgEnableMiniDump"] = "0";
        var process = new ZooProcess(Process.Start(start)!);
        process._process.BeginOutputReadLine();
        process._process.BeginErrorReadLine();
        return process;
    }

    /// <summary>Asks it to end, as an orchestrator does.</summary>
    /// <returns>Its exit code and how long it took.</returns>
    public async Task<(int Code, TimeSpan Took)> TerminateAsync()
    {
        using var kill = new Process { StartInfo = new ProcessStartInfo("kill", ["-TERM", _process.Id.ToString(CultureInfo.InvariantCulture)]) };
        kill.Start();
        await kill.WaitForExitAsync();
        var watch = Stopwatch.StartNew();
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        await _process.WaitForExitAsync(patience.Token);
        return (_process.ExitCode, watch.Elapsed);
    }

    /// <summary>Waits until it has ended by itself.</summary>
    /// <returns>Its exit code.</returns>
    /// <exception cref="OperationCanceledException">It has not.</exception>
    public async Task<int> WaitAsync(TimeSpan atMost)
    {
        using var patience = new CancellationTokenSource(atMost);
        await _process.WaitForExitAsync(patience.Token);
        return _process.ExitCode;
    }

    /// <summary>Kills it as the kernel does: nothing in it gets to know.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>Kills it if it still lives.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            await KillAsync();
        _process.Dispose();
    }

    private void Keep(string? line)
    {
        if (line is not null)
            _output.Enqueue(line);
    }
}
