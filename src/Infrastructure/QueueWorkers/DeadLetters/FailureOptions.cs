using Microsoft.Extensions.Configuration;
using QueueWorkers.Hosting;

namespace QueueWorkers.DeadLetters;

/// <summary>How the index of failures is kept, section <c>Failures</c>.</summary>
public sealed record FailureOptions
{
    /// <summary>
    /// How often the index of failures is compared with the queues. A comparison that takes long is repeated less
    /// often. Default: 2 seconds.
    /// </summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How often all messages of a queue are read although the counts agree. Default: 10 minutes.</summary>
    public TimeSpan FullLook { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>How many messages are read from the head of a queue in one comparison. Default: 20,000.</summary>
    /// <value>messages</value>
    public int LookLimit { get; init; } = 20_000;

    /// <summary>
    /// How long an indexed message may be missing from its queue before it counts as gone. It may still be on its way.
    /// Default: 15 seconds.
    /// </summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How long an archived failure can be restored. Default: 30 days.</summary>
    public TimeSpan RestorableFor { get; init; } = TimeSpan.FromDays(30);

    /// <summary>Reads and checks the section.</summary>
    /// <exception cref="InvalidConfigurationException">With every problem found.</exception>
    public static FailureOptions Read(IConfiguration configuration)
    {
        var options = configuration.GetSection("Failures").Get<FailureOptions>() ?? new FailureOptions();
        new ConfigurationProblems()
            .Require(
                options.Interval >= TimeSpan.FromMilliseconds(50) && options.Interval <= TimeSpan.FromMinutes(1),
                $"Failures:Interval must be 50 ms–1 min, got {options.Interval}; set Failures__Interval"
            )
            .Require(
                options.FullLook >= options.Interval,
                $"Failures:FullLook must be at least Failures:Interval, got {options.FullLook}; set Failures__FullLook"
            )
            .Require(
                options.LookLimit is >= 1 and <= ushort.MaxValue,
                $"Failures:LookLimit must be 1–65535, got {options.LookLimit}; set Failures__LookLimit"
            )
            .Require(
                options.Grace >= TimeSpan.Zero,
                $"Failures:Grace must not be negative, got {options.Grace}; set Failures__Grace"
            )
            .Require(
                options.RestorableFor > TimeSpan.Zero,
                $"Failures:RestorableFor must be positive, got {options.RestorableFor}; set Failures__RestorableFor"
            )
            .ThrowIfAny();
        return options;
    }
}
