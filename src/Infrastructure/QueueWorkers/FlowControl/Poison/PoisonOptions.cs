using Microsoft.Extensions.Configuration;
using QueueWorkers.Hosting;

namespace QueueWorkers.FlowControl.Poison;

/// <summary>When a message is taken for what kills its processes, section <c>Poison</c>.</summary>
public sealed record PoisonOptions
{
    /// <summary>
    /// Number of lost deliveries after which a message runs alone. A delivery is lost when the process dies or loses
    /// its connection. Default: 2.
    /// </summary>
    /// <value>lost deliveries</value>
    public int SuspectAfter { get; init; } = 2;

    /// <summary>
    /// Number of crashes after which a message that ran alone is dead-lettered. Default: 2, so that such a message
    /// crashes four processes in all.
    /// </summary>
    /// <value>crashes</value>
    public int DeadLetterAfter { get; init; } = 2;

    /// <summary>Reads and checks the section.</summary>
    /// <exception cref="InvalidConfigurationException">With every problem found.</exception>
    public static PoisonOptions Read(IConfiguration configuration)
    {
        var options = configuration.GetSection("Poison").Get<PoisonOptions>() ?? new PoisonOptions();
        // The broker gives up at its own limit of 20, and what it moves away shows no reason: ours has to come first.
        new ConfigurationProblems()
            .Require(
                options.SuspectAfter is >= 1 and <= 10,
                $"Poison:SuspectAfter must be 1–10, got {options.SuspectAfter}; set Poison__SuspectAfter"
            )
            .Require(
                options.DeadLetterAfter is >= 1 and <= 5,
                $"Poison:DeadLetterAfter must be 1–5, got {options.DeadLetterAfter}; set Poison__DeadLetterAfter"
            )
            .ThrowIfAny();
        return options;
    }
}
