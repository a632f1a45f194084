using Microsoft.Extensions.Configuration;

namespace QueueWorkers.Hosting;

/// <summary>
/// When a worker counts as unhealthy, and when it ends itself because of that, section <c>Health</c>.
/// </summary>
public sealed record HealthOptions
{
    /// <summary>
    /// A worker is healthy while each of its steps has consumed a message or found its queue empty within this time. A
    /// paused step and an open breaker count as healthy, a refused login as unhealthy at once. Default: 1 minute.
    /// </summary>
    public TimeSpan ConsumingWithin { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// A worker that cannot consume for this long exits with code 75, so that its container is
    /// started again: its login is refused, its connection hangs, or nothing is delivered. It stays while broker or
    /// database cannot be reached. Zero: it never exits. Default: 5 minutes.
    /// </summary>
    public TimeSpan ExitAfter { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>The exit code of a process that ended itself: EX_TEMPFAIL of sysexits.h, "try again".</summary>
    public const int ExitCode = 75;

    /// <summary>Reads and checks the section.</summary>
    /// <exception cref="InvalidConfigurationException">With every problem found.</exception>
    public static HealthOptions Read(IConfiguration configuration)
    {
        var options = configuration.GetSection("Health").Get<HealthOptions>() ?? new HealthOptions();
        new ConfigurationProblems()
            .Require(
                options.ConsumingWithin >= TimeSpan.FromSeconds(1) && options.ConsumingWithin <= TimeSpan.FromHours(1),
                $"Health:ConsumingWithin must be 00:00:01–01:00:00, got {options.ConsumingWithin}; set Health__ConsumingWithin"
            )
            .Require(
                options.ExitAfter >= TimeSpan.Zero && options.ExitAfter <= TimeSpan.FromDays(1),
                $"Health:ExitAfter must be 00:00:00 (never) to 1.00:00:00, got {options.ExitAfter}; set Health__ExitAfter"
            )
            .ThrowIfAny();
        return options;
    }
}
