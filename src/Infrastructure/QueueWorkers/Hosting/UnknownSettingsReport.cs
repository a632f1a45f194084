using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace QueueWorkers.Hosting;

/// <summary>
/// Logs each variable that looks like a setting and is none. It is a warning and no refusal: a setting of an older
/// version must not keep a new one from starting.
/// </summary>
/// <param name="known">The names of all settings.</param>
/// <param name="configuration">Where <c>Secrets:Directory</c> is.</param>
/// <param name="logger">Where to.</param>
public sealed partial class UnknownSettingsReport(
    KnownSettings known,
    IConfiguration configuration,
    ILogger<UnknownSettingsReport> logger
) : IHostedService
{
    /// <inheritdoc />
    public Task StartAsync(CancellationToken cancellationToken)
    {
        Write();
        return Task.CompletedTask;
    }

    /// <inheritdoc />
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Logs them now, for a command that runs no host.</summary>
    public void Write()
    {
        foreach (var problem in known.Unknown(configuration["Secrets:Directory"]))
            Unknown(logger, problem);
    }

    [LoggerMessage(1101, LogLevel.Warning, "Variable has no effect: {Problem}")]
    private static partial void Unknown(ILogger logger, string problem);
}
