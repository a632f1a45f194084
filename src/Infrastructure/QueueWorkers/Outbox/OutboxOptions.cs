using Microsoft.Extensions.Configuration;
using QueueWorkers.Hosting;

namespace QueueWorkers.Outbox;

/// <summary>How the relay works, section <c>Outbox</c>.</summary>
public sealed record OutboxOptions
{
    /// <summary>
    /// So many bytes of bodies are taken for one batch, and at least one message: 500 messages of 16 KB. A relay has four
    /// loops, and a batch of megabytes would not be confirmed in time.
    /// </summary>
    internal const int BatchBytes = 8 * 1024 * 1024;

    // What was offered in memory just before it counts as too old has still this long to be confirmed.
    private static readonly TimeSpan LongestConfirmTimeout = OutboxTable.Lease - TimeSpan.FromSeconds(1);

    /// <summary>
    /// Whether the process runs a relay. Switch it off only where another process runs one. Default: yes.
    /// </summary>
    public bool Relay { get; init; } = true;

    /// <summary>Most messages that are published before their confirms are awaited. Default: 500.</summary>
    /// <value>messages</value>
    public int BatchSize { get; init; } = 500;

    /// <summary>
    /// How often an idle relay looks for rows that other processes left behind or that have become due. The more
    /// processes run, the less often each looks. Default: 1 second.
    /// </summary>
    public TimeSpan PollInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Longest time for the broker to confirm a batch: less than the lease of its rows (5 seconds), after which another
    /// relay sends them too. Default: 3 seconds.
    /// </summary>
    public TimeSpan ConfirmTimeout { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>
    /// Number of refusals by the broker after which a row is quarantined. An unreachable broker refuses nothing.
    /// Default: 10.
    /// </summary>
    /// <value>attempts</value>
    public int MaxAttempts { get; init; } = 10;

    /// <summary>Reads and checks the section.</summary>
    /// <exception cref="InvalidConfigurationException">With every problem found.</exception>
    public static OutboxOptions Read(IConfiguration configuration)
    {
        var options = configuration.GetSection("Outbox").Get<OutboxOptions>() ?? new OutboxOptions();
        new ConfigurationProblems()
            .Require(
                options.BatchSize is >= 1 and <= 1000,
                $"Outbox:BatchSize must be 1–1000, got {options.BatchSize}; set Outbox__BatchSize"
            )
            .Require(
                options.MaxAttempts is >= 1 and <= 100,
                $"Outbox:MaxAttempts must be 1–100, got {options.MaxAttempts}; set Outbox__MaxAttempts"
            )
            .Require(
                options.PollInterval >= TimeSpan.FromMilliseconds(50)
                    && options.PollInterval <= TimeSpan.FromMinutes(1),
                $"Outbox:PollInterval must be 00:00:00.050–00:01:00, got {options.PollInterval}; set Outbox__PollInterval"
            )
            .Require(
                options.ConfirmTimeout >= TimeSpan.FromSeconds(1) && options.ConfirmTimeout <= LongestConfirmTimeout,
                $"Outbox:ConfirmTimeout must be 00:00:01–{LongestConfirmTimeout}, less than the lease of {OutboxTable.Lease}, got {options.ConfirmTimeout}; set Outbox__ConfirmTimeout"
            )
            .ThrowIfAny();
        return options;
    }
}
