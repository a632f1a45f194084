using Microsoft.Extensions.Configuration;
using QueueWorkers.Hosting;

namespace QueueWorkers.Completeness;

/// <summary>The completeness check, section <c>Completeness</c>.</summary>
public sealed record CompletenessOptions
{
    /// <summary>
    /// Time in which a subject has to become complete, counted from its acceptance or release. It also covers differing
    /// clocks of the hosts that accept. Default: 15 minutes.
    /// </summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>How often a subject with a gap is checked again. Default: 5 minutes.</summary>
    public TimeSpan Recheck { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// Longest duration of one check. The next check continues where it stopped. Default: 30 seconds.
    /// </summary>
    public TimeSpan TimeLimit { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Whether a lost message is emitted again without an operator, once per gap. Default: no.</summary>
    public bool Reemit { get; init; }

    /// <summary>Reads and checks the section.</summary>
    /// <exception cref="InvalidConfigurationException">With every problem found.</exception>
    public static CompletenessOptions Read(IConfiguration configuration)
    {
        var options = configuration.GetSection("Completeness").Get<CompletenessOptions>() ?? new CompletenessOptions();
        new ConfigurationProblems()
            .Require(
                options.Deadline >= TimeSpan.FromSeconds(1) && options.Deadline <= TimeSpan.FromDays(7),
                $"Completeness:Deadline must be 00:00:01–7.00:00:00, got {options.Deadline}; set Completeness__Deadline"
            )
            .Require(
                options.Recheck >= TimeSpan.FromSeconds(1) && options.Recheck <= TimeSpan.FromDays(1),
                $"Completeness:Recheck must be 00:00:01–1.00:00:00, got {options.Recheck}; set Completeness__Recheck"
            )
            .Require(
                options.TimeLimit >= TimeSpan.FromSeconds(1) && options.TimeLimit <= TimeSpan.FromMinutes(10),
                $"Completeness:TimeLimit must be 00:00:01–00:10:00, got {options.TimeLimit}; set Completeness__TimeLimit"
            )
            .ThrowIfAny();
        return options;
    }
}
