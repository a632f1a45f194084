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
    var logs = Directory
        .CreateDirectory(Path.Combine(work, "runs", $"{DateTime.UtcNow:yyyyMMdd-HHmmss}-{Environment.ProcessId}"))
        .FullName;
    var folders = new Folders(
        Required("BENCH_BULLMQ"),
        Path.Combine(work, "masstransit-plain"),
        Path.Combine(work, "orders-api"),
        Path.Combine(work, "orders-steps"),
        logs
    );
    Progress($"logs in {logs}");

    switch (options.Mode)
    {
        case BenchMode.Relay:
            await ShowAsync(await new RelayRun(options, folders, Progress).RunAsync(stop.Token));
            break;
        case BenchMode.Growth:
            await ShowAsync(await new GrowthRun(options, folders, Progress).RunAsync(stop.Token));
            break;
        default:
            var report = await new BenchRun(options, folders, Progress).RunAsync(stop.Token);
            Console.WriteLine(TextReport.Of(report));
            if (options.JsonFile is not null)
                await File.WriteAllTextAsync(options.JsonFile, JsonReport.Of(report));
            if (options.DocFile is not null)
                await MarkdownReport.ReplaceAsync(options.DocFile, report);
            break;
    }

    return 0;

    async Task ShowAsync(ITableReport table)
    {
        Console.WriteLine(TextReport.Of(table));
        if (options.JsonFile is not null)
            await File.WriteAllTextAsync(options.JsonFile, JsonReport.Of(table));
        if (options.DocFile is not null)
            await MarkdownReport.ReplaceAsync(options.DocFile, table);
    }
}
catch (OperationCanceledException) when (stop.IsCancellationRequested)
{
    Console.Error.WriteLine("bench: stopped; containers and processes are gone");
    return 130;
}
catch (Exception e)
    when (e
            is ArgumentException
                or InvalidOperationException
                or TimeoutException
                or IOException
                or HttpRequestException
                or OperationCanceledException
                or Npgsql.NpgsqlException
    )
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

static string Required(string name) =>
    Environment.GetEnvironmentVariable(name)
    ?? throw new InvalidOperationException($"{name} is not set: start the bench with ./dev bench");
