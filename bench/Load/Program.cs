using System.Runtime.InteropServices;
using Orders.Bench.Load;
using Orders.Bench.Load.Reporting;
using Orders.Bench.Load.Systems;

using var stop = new CancellationTokenSource();
using var onInterrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var onTerminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
try
{
    var options = BenchOptions.Parse(args);
    var work = Required("BENCH_WORK");
    var logs = Directory.CreateDirectory(Path.Combine(work, "runs", $"{DateTime.UtcNow:yyyyMMdd-HHmmss}-{Environment.ProcessId}")).FullName;
    var folders = new Folders(Required("BENCH_BULLMQ"), Path.Combine(work, "masstransit-plain"), Path.Combine(work, "orders-api"), Path.Combine(work, "orders-steps"), logs);
    Progress($"logs in {logs}");

    var report = await new BenchRun(options, folders, Progress).RunAsync(stop.Token);
    Console.WriteLine(TextReport.Of(report));
    if (options.JsonFile is not null)
        await File.WriteAllTextAsync(options.JsonFile, JsonReport.Of(report));
    if (options.DocFile is not null)
        await MarkdownReport.ReplaceAsync(options.DocFile, report);
    return 0;
}
catch (OperationCanceledException) when (stop.IsCancellationRequested)
{
    Console.Error.WriteLine("bench: stopped; containers and processes are gone");
    return 130;
}
catch (Exception e) when (e is ArgumentException or InvalidOperationException or TimeoutException or IOException or HttpRequestException or OperationCanceledException or Npgsql.NpgsqlException)
{
    Console.Error.WriteLine($"bench: {e.Message}");
    return 1;
}

void Stop(PosixSignalContext signal)
{
    signal.Cancel = true; // let the finally blocks remove containers and processes first
    stop.Cancel();
}

static void Progress(string line) => Console.Error.WriteLine($"{DateTime.Now:HH:mm:ss} {line}");

static string Required(string name) => Environment.GetEnvironmentVariable(name) ?? throw new InvalidOperationException($"{name} is not set: start the bench with ./dev bench");
