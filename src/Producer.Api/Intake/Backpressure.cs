using Orders.Infrastructure.Reading;
using QueueWorkers.Hosting;

namespace Orders.Producer.Api.Intake;

/// <summary>
/// Stops taking orders before the outbox fills the disk: with the broker away, every accepted order stays in the
/// database. Only messages that are to leave now count: neither delayed nor quarantined ones. The size is some seconds
/// old.
/// </summary>
internal sealed class Backpressure(OutboxBacklogReader reader, BackpressureOptions options, ILogger<Backpressure> log)
    : Refresh("the size of the outbox", TimeSpan.FromSeconds(5), log)
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
internal sealed record BackpressureOptions
{
    /// <summary>
    /// Messages waiting in the outbox at which the API answers 503 to new orders. One million rows are about 1 GB.
    /// Default: 1,000,000.
    /// </summary>
    /// <value>messages</value>
    public long MaxRows { get; init; } = 1_000_000;

    /// <summary>Reads and checks the section.</summary>
    public static BackpressureOptions Read(IConfiguration configuration, ConfigurationProblems problems)
    {
        var options = configuration.GetSection("Outbox").Get<BackpressureOptions>() ?? new BackpressureOptions();
        problems.Require(
            options.MaxRows >= 1,
            $"Outbox:MaxRows must be at least 1, got {options.MaxRows}; set Outbox__MaxRows"
        );
        return options;
    }
}
