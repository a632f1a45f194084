using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace QueueWorkers.Hosting;

/// <summary>Ends this process with an exit code, within its <see cref="ExitDeadline"/> where the host has one.</summary>
internal sealed class ProcessExit(IServiceProvider services, IHostApplicationLifetime lifetime)
{
    /// <summary>Whether the process is ending, for whatever reason.</summary>
    public bool HasBegun => lifetime.ApplicationStopping.IsCancellationRequested;

    /// <summary>Begins to end it.</summary>
    public void Begin(int exitCode)
    {
        Environment.ExitCode = exitCode;
        services.GetService<ExitDeadline>()?.Begin(exitCode);
        lifetime.StopApplication();
    }
}
