using System.Text.RegularExpressions;
using Orders.Workers;

namespace Orders.Architecture.Tests.Docs;

/// <summary>docs/security.md says of each secret that <c>./dev env</c> makes how it is changed.</summary>
public sealed partial class SecretTableTests
{
    [Test]
    public void Each_secret_has_a_row_that_says_how_it_is_changed()
    {
        string[] files =
        [
            "docker-compose.yml",
            "deploy/cluster/compose.yml",
            "deploy/pgbouncer/compose.yml",
            "deploy/observability/compose.yml",
        ];
        string[] processes = [.. Steps.Catalogue.Steps.Select(step => step.Name), "api", "dashboard"];
        var secrets = files
            .SelectMany(file => Required().Matches(Repository.Read(file)).Select(match => match.Groups[1].Value))
            // One row for the passwords of all processes.
            .Select(name =>
                processes.Aggregate(
                    name,
                    (text, process) => Regex.Replace(text, $"^{process.ToUpperInvariant()}_(DB|MQ)_", "EMAIL_$1_")
                )
            )
            .Distinct()
            .ToArray();
        var rows = Section().Match(Repository.Read("docs/security.md")).Value;
        Assert.That(secrets, Has.Length.GreaterThan(8));
        Assert.Multiple(() =>
        {
            foreach (var secret in secrets)
                Assert.That(rows, Does.Match($@"(?m)^\| [^|]*`{secret}`[^|]*\| [^|]+\| [^|]+\|$"), secret);
        });
    }

    [GeneratedRegex(@"\$\{([A-Z0-9_]+):\?")]
    private static partial Regex Required();

    [GeneratedRegex(@"^## Change a password or key$.*?(?=^## )", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Section();
}
