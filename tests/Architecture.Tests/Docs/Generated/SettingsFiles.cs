using System.Text.RegularExpressions;

namespace Orders.Architecture.Tests.Docs.Generated;

/// <summary>
/// The lists of settings in <c>deploy/settings</c>: which names of <c>.env</c> compose passes to which service, and all
/// names with their defaults for hosts and <c>./dev</c>.
/// </summary>
internal static partial class SettingsFiles
{
    public const string Folder = "deploy/settings";

    // Log levels have a name for each category; these are passed on.
    private static readonly string[] LogCategories = ["Default", "Orders", "QueueWorkers", "MassTransit", "Microsoft"];

    /// <summary>
    /// Settings that docker-compose.yml gives a value of its own for each service, such as passwords. The name in
    /// <c>.env</c> would give every service the same.
    /// </summary>
    public static IReadOnlySet<string> Fixed { get; } =
        Line()
            .Matches(Repository.Read("docker-compose.yml"))
            .Where(m => !m.Groups["value"].Value.StartsWith($"${{{m.Groups["name"].Value}:-", StringComparison.Ordinal))
            .Select(m => m.Groups["name"].Value)
            .ToHashSet();

    /// <summary>The files, by their names.</summary>
    public static async Task<Dictionary<string, string>> WriteAsync()
    {
        var all = await SettingsPart.AllAsync();
        var files = new Dictionary<string, string>
        {
            ["all.txt"] =
                "# All settings and their defaults, written by ./dev docs. A * stands for any end.\n"
                + string.Concat(
                    all.Select(s => (Name: Pattern(s.Key), s.Default))
                        // Of ASP.NET Core.
                        .Append((Name: "Kestrel__*", Default: "none"))
                        .DistinctBy(s => s.Name)
                        .OrderBy(s => s.Name, StringComparer.Ordinal)
                        .Select(s => $"{s.Name}\t{s.Default.Replace("`", "", StringComparison.Ordinal)}\n")
                ),
        };
        var lists = all.SelectMany(s =>
            s.Hosts.Where(host => host != "deploy")
                .SelectMany(host => Names(s.Key).Select(name => (File: FileOf(host, s.Step), Name: name)))
        );
        foreach (var list in lists.Where(s => !Fixed.Contains(s.Name)).GroupBy(s => s.File))
        {
            files[list.Key] =
                "# Written by ./dev docs. Compose passes each of these on when .env has it; see docker-compose.yml.\n"
                + string.Concat(
                    list.Select(s => s.Name).Distinct().Order(StringComparer.Ordinal).Select(name => $"{name}\n")
                );
        }

        return files;
    }

    /// <summary>The variables of a setting that a list can name.</summary>
    public static IEnumerable<string> Names(string key) =>
        key.StartsWith("Logging:LogLevel:", StringComparison.Ordinal)
            ? LogCategories.Select(category => $"Logging__LogLevel__{category}")
        // In compose itself, because they begin with names of others.
        : key.StartsWith("OTEL_", StringComparison.Ordinal) || key.Contains('<', StringComparison.Ordinal) ? []
        : [Setting.VariableOf(key)];

    /// <summary>The list that a host's services have.</summary>
    public static string FileOf(string host, string? step) =>
        $"{(host == "worker" ? step : null) ?? host.ToLowerInvariant()}.env";

    private static string Pattern(string key) => Setting.VariableOf(Placeholder().Replace(key, "*"));

    [GeneratedRegex("<[^>]+>")]
    private static partial Regex Placeholder();

    [GeneratedRegex(@"^ +(?<name>[A-Z]\w*__\w+): (?<value>.*)$", RegexOptions.Multiline)]
    private static partial Regex Line();
}
