using System.Text.RegularExpressions;

namespace Orders.Architecture.Tests.Docs.Generated;

/// <summary>
/// The variables of <c>.env</c> that <c>docker-compose.yml</c>, the files that are added to it and the receipts of the
/// email step read, and what each of them sets.
/// </summary>
internal static partial class ComposeSettingsPart
{
    // What is written once for several services: anchors, by the name that begins them.
    private static readonly Dictionary<string, string> Shared = new()
    {
        ["host-environment"] = "all hosts",
        ["build-arguments"] = "all images",
        ["step"] = "all steps",
        ["smtp"] = "email, dashboard",
        ["environment"] = "rabbitmq",
        ["telemetry"] = "all hosts",
    };

    // Each with the service that it begins with.
    private static readonly (string Path, string Service)[] Files =
    [
        ("docker-compose.yml", ""),
        ("deploy/cluster/compose.yml", ""),
        ("deploy/pgbouncer/compose.yml", ""),
        ("deploy/observability/compose.yml", ""),
        ("deploy/email/receipts.env", "email"),
    ];

    public static string Write()
    {
        List<(string Name, string Fallback, string Key, string Service)> uses = [];
        foreach (var (path, first) in Files)
        {
            var (service, list) = (first, "");
            foreach (var line in Repository.Read(path).ReplaceLineEndings("\n").Split('\n'))
            {
                if (Start().Match(line) is { Success: true } start)
                    service = start.Groups[1].Value;
                var key = Key().Match(line).Groups[1].Value;
                if (key != "")
                    list = key;
                foreach (var variable in Variables(line))
                    uses.Add((variable.Name, variable.Fallback, list, Shared.GetValueOrDefault(service, service)));
            }
        }

        return MarkdownTable.Of(
            ["variable", "default", "sets", "for"],
            uses.GroupBy(use => use.Name)
                .OrderBy(group => group.Key, StringComparer.Ordinal)
                .Select(group =>
                    new[]
                    {
                        $"`{group.Key}`",
                        group.Key == "COMPOSE_PROJECT_NAME"
                            ? $"`{ProjectName().Match(Repository.Read("docker-compose.yml")).Groups[1].Value}`"
                            : string.Join(" or ", group.Select(use => use.Fallback).Distinct()),
                        string.Join("<br>", group.Select(use => $"`{use.Key}`").Distinct()),
                        string.Join(", ", group.Select(use => use.Service).Distinct()),
                    }
                )
        );
    }

    // ${NAME}, ${NAME:-default} and ${NAME:?what to do}; a default may hold another variable.
    private static IEnumerable<(string Name, string Fallback)> Variables(string line)
    {
        if (line.TrimStart().StartsWith('#'))
            yield break;
        foreach (Match match in Variable().Matches(line))
        {
            var rest = match.Groups["rest"].Value;
            yield return (
                match.Groups["name"].Value,
                rest.StartsWith(":?", StringComparison.Ordinal) ? "made by `./dev env`"
                : rest is "" or ":-" ? "–"
                : $"`{rest[2..]}`"
            );
            foreach (var inner in Variables(rest))
                yield return inner;
        }
    }

    [GeneratedRegex(@"^(?:x-)?(?:  )?([a-z][a-z0-9-]*):(?: &[a-z-]+)?$")]
    private static partial Regex Start();

    [GeneratedRegex(@"^\s*([\w.]+)(?::|=(?=\$))")]
    private static partial Regex Key();

    [GeneratedRegex(@"\$\{(?<name>[A-Z][A-Z0-9_]*)(?<rest>(?::[-?](?:[^{}]|\{(?:[^{}])*\})*)?)\}")]
    private static partial Regex Variable();

    [GeneratedRegex("^name: (.+)$", RegexOptions.Multiline)]
    private static partial Regex ProjectName();
}
