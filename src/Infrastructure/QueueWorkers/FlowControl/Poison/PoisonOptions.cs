using Microsoft.Extensions.Configuration;
using QueueWorkers.Hosting;

namespace QueueWorkers.FlowControl.Poison;

/// <summary>When a message is taken for what kills its processes, section <c>Poison</c>.</summary>
public sealed record PoisonOptions
{
    /// <summary>
    /// From how many lost deliveries on (the process died, or lost its connection) a message runs alone. Those that
    /// were only beside a killer get there too. Default: 2.
    /// </summary>
    public int SuspectAfter { get; init; } = 2;

    /// <summary>
    /// After how many deaths of a process that ran nothing but this message it is dead-lettered. Default: 2, so that a
    /// killer takes four processes along in all.
    /// </summary>
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
