using System.Globalization;
using System.Runtime.InteropServices;
using Orders.Chaos;
using Orders.Chaos.Planning;
using Orders.Chaos.Reporting;
using Orders.Chaos.Running;

using var stop = new CancellationTokenSource();
using var onInterrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var onTerminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
try
{
    ChaosOptions options;
    try
    {
        options = ChaosOptions.Parse(args);
    }
    catch (ArgumentException wrong)
    {
        Console.Error.WriteLine($"chaos: {wrong.Message}");
        return 2;
    }

    if (options.PlanOnly)
    {
        Console.WriteLine(Scenarios.Of(options).Plan);
        return 0;
    }

    await using var installation = Installation.FromEnvironment();
    var report = await new ChaosRun(installation, options, Progress).RunAsync(stop.Token);
    var text = ReportText.Of(report);
    await File.WriteAllTextAsync(Path.Combine(options.Folder, "report.txt"), text + Environment.NewLine);
    Console.WriteLine(text);
    return report.IsGood ? 0 : 1;
}
catch (OperationCanceledException) when (stop.IsCancellationRequested)
{
    Console.Error.WriteLine("chaos: stopped; what was broken has been healed");
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
    // With the stack: a run of minutes broke off, and its reason is asked for once.
    Console.Error.WriteLine($"chaos: {e.Message}{Environment.NewLine}{e}");
    return 2;
}

// Heal first, then go.
void Stop(PosixSignalContext signal)
{
    signal.Cancel = true;
    stop.Cancel();
}

static void Progress(string line) =>
    Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{DateTime.Now:HH:mm:ss}  {line}"));
