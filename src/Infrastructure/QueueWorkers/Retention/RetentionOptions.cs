using System.Globalization;
using Microsoft.Extensions.Configuration;
using QueueWorkers.Hosting;

namespace QueueWorkers.Retention;

/// <summary>How long rows are kept and how gently they go, section <c>Retention</c>.</summary>
public sealed record RetentionOptions
{
    private const string BatchSizeKey = "BatchSize";
    private const string TimeLimitKey = "TimeLimit";

    /// <summary>Rows deleted in one transaction. Default: 1000.</summary>
    /// <value>rows</value>
    public int BatchSize { get; init; } = 1000;

    /// <summary>Longest duration of one purge. The next purge continues. Default: 30 seconds.</summary>
    public TimeSpan TimeLimit { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The rules, with the times in effect.</summary>
    public IReadOnlyList<RetentionRule> Rules { get; init; } = [];

    /// <summary>Reads and checks the section.</summary>
    /// <param name="configuration">The configuration.</param>
    /// <param name="rules">The rules, with their defaults.</param>
    /// <exception cref="InvalidConfigurationException">With every problem found.</exception>
    public static RetentionOptions Read(IConfiguration configuration, IReadOnlyList<RetentionRule> rules)
    {
        var section = configuration.GetSection("Retention");
        var problems = new ConfigurationProblems();
        string[] known = [BatchSizeKey, TimeLimitKey, .. rules.Select(r => r.Name)];
        foreach (
            var given in section
                .GetChildren()
                .Select(c => c.Key)
                .Where(k => !known.Contains(k, StringComparer.OrdinalIgnoreCase))
        )
            problems.Require(
                false,
                $"Retention:{given} is not a setting; known are {string.Join(", ", known)}; remove or rename Retention__{given}"
            );

        var batchSize = 1000;
        problems.Require(
            section[BatchSizeKey] is not { } batch
                || (
                    int.TryParse(batch, CultureInfo.InvariantCulture, out batchSize)
                    && batchSize is >= 100 and <= 10_000
                ),
            $"Retention:BatchSize must be 100–10000, got '{section[BatchSizeKey]}'; set Retention__BatchSize"
        );
        var timeLimit = TimeSpan.FromSeconds(30);
        problems.Require(
            section[TimeLimitKey] is not { } limit
                || (
                    TimeSpan.TryParse(limit, CultureInfo.InvariantCulture, out timeLimit)
                    && timeLimit >= TimeSpan.FromSeconds(1)
                    && timeLimit <= TimeSpan.FromMinutes(10)
                ),
            $"Retention:TimeLimit must be 00:00:01–00:10:00, got '{section[TimeLimitKey]}'; set Retention__TimeLimit"
        );

        var inEffect = new List<RetentionRule>();
        foreach (var rule in rules)
        {
            var keep = rule.Keep;
            problems.Require(
                section[rule.Name] is not { } text
                    || (TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out keep) && keep >= rule.Least),
                $"Retention:{rule.Name} must be a time of at least {rule.Least} such as 30.00:00:00 (days.hours:minutes:seconds), got '{section[rule.Name]}'; set Retention__{rule.Name}"
            );
            inEffect.Add(rule with { Keep = keep });
        }

        problems.ThrowIfAny();
        return new RetentionOptions
        {
            BatchSize = batchSize,
            TimeLimit = timeLimit,
            Rules = inEffect,
        };
    }
}
