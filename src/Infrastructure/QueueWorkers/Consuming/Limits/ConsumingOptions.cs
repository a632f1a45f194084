using Microsoft.Extensions.Configuration;
using QueueWorkers.Hosting;

namespace QueueWorkers.Consuming.Limits;

/// <summary>How much of its messages a process holds in memory, section <c>Consuming</c>.</summary>
public sealed record ConsumingOptions
{
    /// <summary>Largest body of a message. A message with a larger one is dead-lettered unread. Default: 4 MiB.</summary>
    /// <value>bytes</value>
    public int LargestMessage { get; init; } = 4 * 1024 * 1024;

    /// <summary>
    /// Bytes of bodies that all runs of the process work on at once. A message that does not fit waits for others to
    /// end. Default: 32 MiB.
    /// </summary>
    /// <value>bytes</value>
    public int BytesInFlight { get; init; } = 32 * 1024 * 1024;

    /// <summary>Reads and checks the section.</summary>
    /// <exception cref="InvalidConfigurationException">With every problem found.</exception>
    public static ConsumingOptions Read(IConfiguration configuration)
    {
        var options = configuration.GetSection("Consuming").Get<ConsumingOptions>() ?? new ConsumingOptions();
        new ConfigurationProblems()
            .Require(
                options.LargestMessage is >= 1024 and <= 16 * 1024 * 1024,
                $"Consuming:LargestMessage must be 1024–16777216 bytes, got {options.LargestMessage}; set Consuming__LargestMessage"
            )
            .Require(
                options.BytesInFlight >= options.LargestMessage,
                $"Consuming:BytesInFlight must be at least Consuming:LargestMessage, got {options.BytesInFlight}; set Consuming__BytesInFlight"
            )
            .ThrowIfAny();
        return options;
    }
}
