using System.Reflection;

namespace QueueWorkers.Hosting;

/// <summary>Which build this process is of: what tells two versions apart that run side by side.</summary>
public static class Build
{
    // PostgreSQL cuts names off there.
    private const int LongestName = 63;

    /// <summary>
    /// The program's version and, behind a <c>+</c>, the last commit that changed the sources. Empty for a program
    /// without a version.
    /// </summary>
    public static string Version { get; } =
        Assembly.GetEntryAssembly()?.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion
        ?? "";

    /// <summary>
    /// The name of this process's sessions in <c>pg_stat_activity</c>: build and program. The deployment reads it: it
    /// takes no right away that a session of another build may need.
    /// </summary>
    public static string SessionName { get; } = Cut($"{Version} {AppDomain.CurrentDomain.FriendlyName}");

    /// <summary>What the names of all sessions of this build begin with.</summary>
    public static string SessionPrefix { get; } = Cut($"{Version} ");

    private static string Cut(string name) => name.Length <= LongestName ? name : name[..LongestName];
}
