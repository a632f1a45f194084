using System.Text.RegularExpressions;
using QueueWorkers.Hosting;

namespace QueueWorkers.Deployment;

/// <summary>
/// The oldest RabbitMQ that is deployed to. Strict priorities of quorum queues came with 4.3.0; before 4.3.5 it has
/// published vulnerabilities.
/// </summary>
internal static partial class BrokerVersion
{
    /// <summary>That version.</summary>
    public static Version Oldest { get; } = new(4, 3, 5);

    /// <summary>Refuses an older one.</summary>
    /// <param name="version">As RabbitMQ says it, such as <c>4.3.6</c> or <c>4.4.0-rc.1</c>.</param>
    /// <exception cref="InvalidConfigurationException">It is older, or no version.</exception>
    public static void Require(string version)
    {
        var found = Numbers().Match(version) is { Success: true } match ? Version.Parse(match.Value) : null;
        new ConfigurationProblems()
            .Require(
                found >= Oldest,
                $"RabbitMQ must be {Oldest} or newer, got '{version}': older ones have published vulnerabilities. Upgrade RabbitMQ, then deploy again"
            )
            .ThrowIfAny();
    }

    [GeneratedRegex(@"^\d{1,4}\.\d{1,4}\.\d{1,4}(?![\d.])")]
    private static partial Regex Numbers();
}
