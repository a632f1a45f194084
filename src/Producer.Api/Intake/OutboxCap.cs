using Orders.Infrastructure.Hosting;
using Orders.Infrastructure.Orders.Reading;

namespace Orders.Producer.Api.Intake;

/// <summary>
/// Stops taking orders before the outbox fills the disk: with the broker away, every accepted order stays in the database. Only messages that are to leave now count: neither delayed nor quarantined ones. The size is some seconds old.
/// </summary>
internal sealed class OutboxCap(OutboxBacklogReader reader, OutboxCapOptions options, ILogger<OutboxCap> log) : Refresh("the size of the outbox", TimeSpan.FromSeconds(5), log)
{
    private volatile bool _isReached;

    /// <summary>Whether no further order may be taken.</summary>
    public bool IsReached => _isReached;

    /// <inheritdoc />
    protected override async Task RefreshAsync(CancellationToken cancellationToken)
    {
        var rows = await reader.WaitingAsync(options.MaxRows, cancellationToken);
        var reached = rows >= options.MaxRows;
        if (reached && !_isReached)
            ApiLog.OutboxFull(log, rows, options.MaxRows);
        else if (!reached && _isReached)
            ApiLog.OutboxDrained(log, rows, options.MaxRows);
        _isReached = reached;
    }
}

/// <summary>How large the outbox may grow, section <c>Outbox</c>.</summary>
internal sealed record OutboxCapOptions
{
    /// <summary>Messages waiting in the outbox to leave from which on orders are refused. Default: 1,000,000, about 1 GB.</summary>
    public long MaxRows { get; init; } = 1_000_000;

    /// <summary>Reads and checks the section.</summary>
    public static OutboxCapOptions Read(IConfiguration configuration, ConfigurationProblems problems)
    {
        var options = configuration.GetSection("Outbox").Get<OutboxCapOptions>() ?? new OutboxCapOptions();
        problems.Require(options.MaxRows >= 1, $"Outbox:MaxRows must be at least 1, got {options.MaxRows}; set Outbox__MaxRows");
        return options;
    }
}
