using Microsoft.Extensions.Configuration;
using QueueWorkers.Hosting;

namespace QueueWorkers.Operators.Anchors;

/// <summary>How often the head of the audit record is logged, and what signs exports, section <c>Audit</c>.</summary>
public sealed record AuditOptions
{
    private const int ShortestKey = 32;

    /// <summary>How often the head of the audit record is logged. Default: 5 minutes.</summary>
    public TimeSpan AnchorInterval { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>After how many new rows the head is logged before the interval is over. Default: 100.</summary>
    /// <value>rows</value>
    public int AnchorRows { get; init; } = 100;

    /// <summary>
    /// Signs exports of the audit record, at least 32 characters; without it there are none. Default: none.
    /// </summary>
    public string SigningKey { get; init; } = "";

    /// <summary>
    /// The key before the last change: exports that it signed are still verified. Default: none.
    /// </summary>
    public string PreviousSigningKey { get; init; } = "";

    /// <summary>Reads and checks the section.</summary>
    /// <exception cref="InvalidConfigurationException">With every problem found.</exception>
    public static AuditOptions Read(IConfiguration configuration)
    {
        var options = configuration.GetSection("Audit").Get<AuditOptions>() ?? new AuditOptions();
        new ConfigurationProblems()
            .Require(
                options.AnchorInterval >= TimeSpan.FromSeconds(1) && options.AnchorInterval <= TimeSpan.FromDays(1),
                $"Audit:AnchorInterval must be 00:00:01–1.00:00:00, got {options.AnchorInterval}; set Audit__AnchorInterval"
            )
            .Require(
                options.AnchorRows is >= 1 and <= 1_000_000,
                $"Audit:AnchorRows must be 1–1000000, got {options.AnchorRows}; set Audit__AnchorRows"
            )
            .Require(
                options.SigningKey.Length is 0 or >= ShortestKey,
                $"Audit:SigningKey must have at least {ShortestKey} characters, got {options.SigningKey.Length}; set Audit__SigningKey"
            )
            .Require(
                options.PreviousSigningKey.Length is 0 or >= ShortestKey,
                $"Audit:PreviousSigningKey must have at least {ShortestKey} characters, got {options.PreviousSigningKey.Length}; set Audit__PreviousSigningKey"
            )
            .ThrowIfAny();
        return options;
    }
}
