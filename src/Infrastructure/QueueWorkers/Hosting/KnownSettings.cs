using System.Collections;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using QueueWorkers.Hosting.Secrets;

namespace QueueWorkers.Hosting;

/// <summary>
/// The names of all settings of an application. A variable that looks like one of them and is none has no effect: the
/// host names it at its start.
/// </summary>
public sealed class KnownSettings
{
    private readonly string[] _names;
    private readonly string[] _beginnings;
    private readonly string[] _ends;

    /// <summary>Takes the names.</summary>
    /// <param name="names">Environment variables such as <c>Email__From</c>. With <c>*</c> at its end a name stands for
    /// all that begin like it, with <c>*</c> at its beginning for all that end like it.</param>
    public KnownSettings(IEnumerable<string> names)
    {
        var all = names.ToLookup(name => name.IndexOf('*', StringComparison.Ordinal));
        _names = [.. all[-1]];
        _ends = [.. all[0].Select(name => name[1..])];
        _beginnings = [.. all.Where(group => group.Key > 0).SelectMany(group => group).Select(name => name[..^1])];
    }

    /// <summary>
    /// Whether a variable is a setting, compared as the configuration does. <c>NAME_FILE</c> is one where <c>NAME</c>
    /// is.
    /// </summary>
    /// <param name="variable">Its name.</param>
    public bool IsKnown(string variable) =>
        _names.Contains(variable, StringComparer.OrdinalIgnoreCase)
        || _beginnings.Any(known => variable.StartsWith(known, StringComparison.OrdinalIgnoreCase))
        || _ends.Any(known => variable.EndsWith(known, StringComparison.OrdinalIgnoreCase))
        || (
            variable.EndsWith(SecretFiles.Suffix, StringComparison.Ordinal)
            && IsKnown(variable[..^SecretFiles.Suffix.Length])
        );

    /// <summary>A sentence for each environment variable that looks like a setting and is none.</summary>
    /// <param name="directory">The directory of <c>Secrets:Directory</c>, whose files count as variables; null for
    /// none.</param>
    public IReadOnlyList<string> Unknown(string? directory)
    {
        var variables = Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().Select(e => (string)e.Key);
        return Unknown(
            directory is { Length: > 0 } && Directory.Exists(directory)
                ? variables.Concat(Directory.EnumerateFiles(directory).Select(file => Path.GetFileName(file)))
                : variables
        );
    }

    /// <summary>
    /// A sentence for each variable that looks like a setting and is none: its section exists, or a known name is near.
    /// Other variables belong to somebody else.
    /// </summary>
    /// <param name="variables">Names of variables.</param>
    public IReadOnlyList<string> Unknown(IEnumerable<string> variables) =>
        [.. variables.Distinct().Order(StringComparer.Ordinal).Select(Explain).OfType<string>()];

    private string? Explain(string variable)
    {
        var end = variable.IndexOf("__", StringComparison.Ordinal);
        if (end <= 0 || IsKnown(variable))
            return null;
        var lower = variable.ToLowerInvariant();
        int Distance(string known) => EditDistance.Between(known.ToLowerInvariant(), lower);
        if (_names.MinBy(Distance) is { } name && Distance(name) <= Math.Max(2, variable.Length / 4))
            return $"no setting '{variable}'; did you mean '{name}'?";
        var section = variable[..(end + 2)];
        return _names.Any(known => known.StartsWith(section, StringComparison.OrdinalIgnoreCase))
            ? $"no setting '{variable}'; section '{variable[..end]}' has none of this name"
            : null;
    }
}

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
