using System.Runtime.InteropServices;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Orders.Infrastructure.Hosting;

/// <summary>
/// Keeps the promise that a process ends in time after SIGTERM, whatever hangs: a database that does not answer, a starved machine, a step that blocks its thread, a library's clean-up.
/// It counts from the signal itself, not from what the host makes of it, on a thread of its own, because the thread pool may be just what is stuck. What this cuts off is what a crash
/// would cut off: nothing is lost, for nothing is acked before its commit; a finished run whose ack is still under way is delivered once more and dropped as a copy. The exit code stays 0:
/// who asked for the end got it, and standard error says what it was like. It is 1 when nobody asked: see <see cref="LoopWatch"/>.
/// </summary>
internal sealed class ExitDeadline(ShutdownOptions options) : IHostedService, IDisposable
{
    private PosixSignalRegistration? _signal;
    private int _counting;
    private int _exitCode;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        // Only listened to: the host has a registration of its own, which begins the orderly end.
        _signal = PosixSignalRegistration.Create(PosixSignal.SIGTERM, _ => Begin());
        return Task.CompletedTask;
    }

    // The host's orderly stop is over here and the process is not: clean-up follows, which may hang as well.
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => _signal?.Dispose();

    /// <summary>The process is to end from now on, by itself: the same time limit holds as after a signal.</summary>
    /// <param name="exitCode">What it ends with if it has to be ended.</param>
    public void Begin(int exitCode)
    {
        _exitCode = exitCode;
        Begin();
    }

    /// <summary>The process is to end from now on.</summary>
    public void Begin()
    {
        if (Interlocked.Exchange(ref _counting, 1) == 0)
            new Thread(EndInTime) { IsBackground = true, Name = "exit deadline" }.Start();
    }

    private void EndInTime()
    {
        // Nothing to wait for but the time: a process that ends before takes this thread with it.
        Thread.Sleep(options.Deadline);
        // Not through the logger: its lines go out on another thread, and there is no time to wait for that.
        Console.Error.WriteLine($"The process was asked to end {options.Deadline.TotalSeconds:0.#} s ago and has not come to its end; it is ended as it is. What was not acked returns to its queue.");
        Environment.Exit(_exitCode);
    }
}

/// <summary>Registers it.</summary>
public static class ExitDeadlineServices
{
    /// <summary>Lets the process end in time after SIGTERM, see <see cref="ShutdownOptions"/>; and lets it end when one of its background loops has, see <see cref="LoopWatch"/>.</summary>
    public static IServiceCollection AddExitDeadline(this IServiceCollection services, IConfiguration configuration)
    {
        var options = ShutdownOptions.Read(configuration);
        services.Configure<HostOptions>(host => host.ShutdownTimeout = options.ForTheHost);
        services.AddSingleton(new ExitDeadline(options)).AddHostedService(provider => provider.GetRequiredService<ExitDeadline>());
        return services.AddHostedService<LoopWatch>();
    }
}
