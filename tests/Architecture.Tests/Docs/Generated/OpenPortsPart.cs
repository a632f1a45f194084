using System.Text.RegularExpressions;

namespace Orders.Architecture.Tests.Docs.Generated;

/// <summary>
/// The ports that <c>docker-compose.yml</c> and the files that are added to it publish, and at which address. Each
/// entry must name its address, the loopback one by default: without one it would be open on all addresses.
/// </summary>
internal static partial class OpenPortsPart
{
    // The test bed of ./dev chaos is no installation.
    private static IEnumerable<string> Files =>
        Directory
            .EnumerateFiles(Repository.Root, "docker-compose*.yml")
            .Select(path => Path.GetFileName(path))
            .Concat(Repository.Find("deploy", "compose*.yml"))
            .Where(path => !path.StartsWith("deploy/chaos/", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal);

    public static string Write() =>
        MarkdownTable.Of(
            ["service", "port in the container", "address", "port", "file"],
            Files.SelectMany(file => Published(file).Select(port => port.Append($"`{file}`").ToArray()))
        );

    private static IEnumerable<string[]> Published(string file)
    {
        var service = "";
        var inPorts = false;
        foreach (var line in Repository.Read(file).ReplaceLineEndings("\n").Split('\n'))
        {
            if (Service().Match(line) is { Success: true } start)
                service = start.Groups[1].Value;
            inPorts = Ports().IsMatch(line) || (inPorts && Item().IsMatch(line));
            if (!inPorts)
                continue;
            foreach (Match entry in Quoted().Matches(line))
            {
                var parts = Entry().Match(entry.Groups[1].Value);
                Assert.That(parts.Success, $"{file}, {service}: expected \"ADDRESS:PORT:PORT\", found {entry}");
                var address = Told(parts.Groups["address"].Value);
                Assert.That(address, Does.StartWith("`127.0.0.1`"), $"{file}, {service}: address of {entry}");
                yield return
                [
                    $"`{service}`",
                    $"`{parts.Groups["container"].Value}`",
                    address,
                    Told(parts.Groups["port"].Value),
                ];
            }
        }
    }

    // The default, and the variable of .env that changes it.
    private static string Told(string text) =>
        Variable().Match(text) is { Success: true } variable
            ? $"`{variable.Groups[2].Value}` (`{variable.Groups[1].Value}`)"
            : $"`{text}`";

    [GeneratedRegex("^  ([a-z][a-z0-9-]*):(?: .*)?$")]
    private static partial Regex Service();

    [GeneratedRegex("^    ports:")]
    private static partial Regex Ports();

    [GeneratedRegex("^      - ")]
    private static partial Regex Item();

    [GeneratedRegex("\"([^\"]+)\"")]
    private static partial Regex Quoted();

    [GeneratedRegex(@"^\$\{([A-Z0-9_]+):-([^}]*)\}$")]
    private static partial Regex Variable();

    [GeneratedRegex(@"^(?<address>\$\{[^}]*\}|[\d.]+):(?<port>\$\{[^}]*\}|\d+):(?<container>\d+)$")]
    private static partial Regex Entry();
}
