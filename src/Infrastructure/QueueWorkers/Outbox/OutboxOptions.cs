using Microsoft.Extensions.Configuration;
using QueueWorkers.Hosting;

namespace QueueWorkers.Outbox;

/// <summary>How the relay works, section <c>Outbox</c>.</summary>
public sealed record OutboxOptions
{
    // What was offered in memory just before it counts as too old has still this long to be confirmed.
    private static readonly TimeSpan LongestConfirmTimeout = OutboxTable.Lease - TimeSpan.FromSeconds(1);

    /// <summary>
    /// Whether this process runs a relay. Default: yes. Switch it off only where another process runs one.
    /// </summary>
    public bool Relay { get; init; } = true;

    /// <summary>
    /// The most messages published before their confirms are awaited, 1–1000: the client searches all outstanding ones
    /// at each confirm. Default: 500.
    /// </summary>
    public int BatchSize { get; init; } = 500;

    /// <summary>
    /// How often an idle relay looks for rows that others left behind or that have become due; less often the more
    /// processes there are. Default: 1 second.
    /// </summary>
    public TimeSpan PollInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// How long the broker may take to confirm a batch, 1–4 seconds: less than the lease of its rows (5 seconds), after
    /// which another relay sends them too. Default: 3 seconds.
    /// </summary>
    public TimeSpan ConfirmTimeout { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>
    /// After how many refusals a row is quarantined, 1–100. A broker that is away refuses nothing. Default: 10.
    /// </summary>
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
