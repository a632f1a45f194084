using Microsoft.Extensions.Configuration;
using QueueWorkers.Hosting;

namespace QueueWorkers.Completeness;

/// <summary>The completeness check, section <c>Completeness</c>.</summary>
public sealed record CompletenessOptions
{
    /// <summary>
    /// How long a subject has to become complete, from when it was accepted or released. Also by how much the clocks of
    /// those who accept may differ. Default: 15 minutes.
    /// </summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>How often a subject with a gap is looked at again. Default: 5 minutes.</summary>
    public TimeSpan Recheck { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How long one check may go on; it continues where it stopped. Default: 30 seconds.</summary>
    public TimeSpan TimeLimit { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Whether the message of a gap that nothing under way can close is emitted again by itself, once. Default: no, an
    /// operator does it.
    /// </summary>
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
