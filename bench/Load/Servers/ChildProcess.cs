using System.Diagnostics;
using System.Globalization;

namespace Orders.Bench.Load.Servers;

/// <summary>A program to run, and the group its CPU is counted under.</summary>
public sealed record ChildProgram(
    string Group,
    string File,
    string[] Arguments,
    string Folder,
    Dictionary<string, string> Environment
);

/// <summary>
/// A running program with its output in a log file. Disposing asks it to end, and makes it end after ten seconds.
/// </summary>
public sealed class ChildProcess : IAsyncDisposable
{
    private readonly Process process;
    private readonly TextWriter log;

    private ChildProcess(Process process, TextWriter log, string logFile)
    {
        this.process = process;
        this.log = log;
        LogFile = logFile;
    }

    public int Id => process.Id;

    public bool HasEnded => process.HasExited;

    public string LogFile { get; }

    public static ChildProcess Start(ChildProgram program, string logFolder)
    {
        var start = new ProcessStartInfo(program.File, program.Arguments)
        {
            WorkingDirectory = program.Folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in program.Environment)
            start.Environment[name] = value;

        var logFile = Path.Combine(logFolder, $"{program.Group}.log");
        var log = TextWriter.Synchronized(new StreamWriter(logFile) { AutoFlush = true });
        var process = new Process { StartInfo = start };
        process.OutputDataReceived += (_, line) => Write(line.Data);
        process.ErrorDataReceived += (_, line) => Write(line.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return new ChildProcess(process, log, logFile);

        void Write(string? line)
        {
            if (line is not null)
                log.WriteLine(line);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
        {
            await TerminateAsync();
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
            try
            {
                await process.WaitForExitAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                process.Kill(entireProcessTree: true);
                await process.WaitForExitAsync(CancellationToken.None);
            }
        }

        process.Dispose();
        await log.DisposeAsync();
    }

    private async Task TerminateAsync()
    {
        try
        {
            await Command.RunAsync("kill", "-TERM", process.Id.ToString(CultureInfo.InvariantCulture));
        }
        catch (InvalidOperationException) when (process.HasExited)
        {
            // it ended by itself a moment before
        }
    }
}
