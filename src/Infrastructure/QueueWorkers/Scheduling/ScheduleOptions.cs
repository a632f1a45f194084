using Microsoft.Extensions.Configuration;
using QueueWorkers.Hosting;

namespace QueueWorkers.Scheduling;

/// <summary>
/// How a process keeps schedules, section <c>Schedules</c>. Whether it does at all is <c>Workers:Schedules</c>.
/// </summary>
public sealed record ScheduleOptions
{
    /// <summary>
    /// Longest wait between two looks at the schedules. A firing that is due sooner is met on time. Default: 1 second.
    /// </summary>
    public TimeSpan PollInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How late a firing may be before the misfire policy decides. Default: 10 seconds.</summary>
    public TimeSpan MisfireAfter { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// How long a job of a process that died is left alone before another process begins it again. Default: 30 seconds.
    /// </summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How often a firing is begun before it counts as failed: a job that crashes its process must not crash all of
    /// them. Default: 3.
    /// </summary>
    /// <value>attempts</value>
    public int MaxAttempts { get; init; } = 3;

    /// <summary>Reads and checks the section.</summary>
    /// <exception cref="InvalidConfigurationException">With every problem found.</exception>
    public static ScheduleOptions Read(IConfiguration configuration)
    {
        var options = configuration.GetSection("Schedules").Get<ScheduleOptions>() ?? new ScheduleOptions();
        new ConfigurationProblems()
            .Require(
                options.PollInterval >= TimeSpan.FromMilliseconds(50)
                    && options.PollInterval <= TimeSpan.FromMinutes(1),
                $"Schedules:PollInterval must be 00:00:00.050–00:01:00, got {options.PollInterval}; set Schedules__PollInterval"
            )
            .Require(
                options.MisfireAfter >= TimeSpan.FromSeconds(1) && options.MisfireAfter <= TimeSpan.FromHours(1),
                $"Schedules:MisfireAfter must be 00:00:01–01:00:00, got {options.MisfireAfter}; set Schedules__MisfireAfter"
            )
            .Require(
                options.Lease >= TimeSpan.FromSeconds(1) && options.Lease <= TimeSpan.FromMinutes(10),
                $"Schedules:Lease must be 00:00:01–00:10:00, got {options.Lease}; set Schedules__Lease"
            )
            .Require(
                options.MaxAttempts is >= 1 and <= 100,
                $"Schedules:MaxAttempts must be 1–100, got {options.MaxAttempts}; set Schedules__MaxAttempts"
            )
            .ThrowIfAny();
        return options;
    }
}
