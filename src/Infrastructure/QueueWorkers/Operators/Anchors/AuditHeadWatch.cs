using Microsoft.Extensions.Logging;
using QueueWorkers.Clocks;
using QueueWorkers.Hosting;

namespace QueueWorkers.Operators.Anchors;

/// <summary>
/// Carries the head of the audit record out of the database: into the log at regular times and after a number of rows,
/// and into a metric. It compares each head with the one before, so that it notices a deletion itself; whoever deletes
/// while no process watches is found with an anchor of the log.
/// </summary>
internal sealed partial class AuditHeadWatch(
    AuditVerifier verifier,
    AuditOptions options,
    AuditMetrics metrics,
    ILogger<AuditHeadWatch> log
) : ResilientLoop(DatabaseClock.Provider)
{
    private static readonly TimeSpan Pace = TimeSpan.FromSeconds(10);

    private AuditAnchor? _seen;
    private AuditAnchor? _logged;
    private DateTimeOffset _loggedAt;

    /// <inheritdoc />
    protected override async Task<TimeSpan> RunOnceAsync(CancellationToken cancellationToken)
    {
        if (_seen is not null)
            await CompareAsync(_seen, cancellationToken);
        var head = await verifier.HeadAsync(cancellationToken);
        metrics.Read(head?.Number ?? 0);
        _seen = head;
        var now = Time.GetUtcNow();
        if (
            head is not null
            && (
                now - _loggedAt >= options.AnchorInterval
                || head.Number - (_logged?.Number ?? 0) >= options.AnchorRows
                || head.Number < _logged?.Number
            )
        )
        {
            Anchored(log, head);
            (_logged, _loggedAt) = (head, now);
        }

        return Pace < options.AnchorInterval ? Pace : options.AnchorInterval;
    }

    private async Task CompareAsync(AuditAnchor before, CancellationToken cancellationToken)
    {
        var report = await verifier.CompareAsync([before], cancellationToken);
        if (report.Intact)
            return;
        metrics.FoundCut();
        if (report.MissingFrom is { } from)
            Cut(log, from, report.MissingTo ?? from, before);
        else
            Replaced(log, before);
    }

    protected override void LogFault(Exception fault, TimeSpan retryAfter) => NotRead(log, retryAfter, fault.Message);

    [LoggerMessage(1110, LogLevel.Information, "Audit record anchored, keep this line outside the database: {Anchor}")]
    private static partial void Anchored(ILogger logger, AuditAnchor anchor);

    [LoggerMessage(
        1111,
        LogLevel.Error,
        "Audit record was cut: rows {From}–{To} are missing; its head was {Anchor} before. Somebody with the owner's login deleted them"
    )]
    private static partial void Cut(ILogger logger, long from, long to, AuditAnchor anchor);

    [LoggerMessage(
        1112,
        LogLevel.Error,
        "Audit record was rewritten: its newest rows were deleted and others have their numbers; its head was {Anchor} before"
    )]
    private static partial void Replaced(ILogger logger, AuditAnchor anchor);

    [LoggerMessage(
        1113,
        LogLevel.Warning,
        "Reading the head of the audit record failed; next attempt in {RetryAfter}. {Fault}"
    )]
    private static partial void NotRead(ILogger logger, TimeSpan retryAfter, string fault);
}
