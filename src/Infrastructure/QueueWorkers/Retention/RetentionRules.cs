using QueueWorkers.DeadLetters;
using QueueWorkers.Scheduling.Firings;

namespace QueueWorkers.Retention;

/// <summary>What the framework's own tables keep. Not here, because for ever: effects (the guard behind the purged
/// idempotency rows), step_runs, audit. Nor what is a handful of rows, or tidied by whoever writes it: controls,
/// breakers, calls of dependencies, workers, permits, sessions, the history by minute and hour.</summary>
public static class RetentionRules
{
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    /// <summary>All of them.</summary>
    public static IReadOnlyList<RetentionRule> Framework { get; } =
    [
        // Longer than any redelivery schedule, or every late copy would run its step to find out at the commit that its
        // effect is done.
        new("Idempotency", "idempotency", "at", Keep: 30 * Day, Least: Day),
        new(
            "ScheduleRuns",
            "schedule_runs",
            "finished_at",
            Keep: 14 * Day,
            Least: TimeSpan.FromHours(1),
            Only: $"status >= {FiringStatus.Done:D}"
        ),
        new("Duplicates", "duplicates", "at", Keep: 30 * Day, Least: TimeSpan.FromHours(1)),
        new("DuplicateCounts", "duplicate_counts", "minute", Keep: 90 * Day, Least: TimeSpan.FromHours(1)),
        new(
            "CompletenessGaps",
            "completeness_gaps",
            "closed_at",
            Keep: 90 * Day,
            Least: TimeSpan.FromHours(1),
            Only: "closed_at is not null"
        ),
        new("StepReports", "step_reports", "at", Keep: 30 * Day, Least: TimeSpan.FromHours(1)),
        // News for running processes; a run that began before the news is long over.
        new("CancelledSubjects", "cancelled_subjects", "at", Keep: Day, Least: TimeSpan.FromHours(1)),
        new("Suspects", "suspects", "at", Keep: 7 * Day, Least: TimeSpan.FromHours(1)),
        new("StepAttempts", "step_attempts", "ended_at", Keep: 30 * Day, Least: TimeSpan.FromHours(1)),
        new(
            "Alerts",
            "alerts",
            "resolved_at",
            Keep: 90 * Day,
            Least: TimeSpan.FromHours(1),
            Only: "resolved_at is not null"
        ),
        // A quarantined row whose failure was archived: it goes when it cannot be restored any more, before its failure
        // does, or it would be indexed anew.
        new(
            "Quarantine",
            "outbox",
            "dead_at",
            Keep: Day,
            Least: TimeSpan.FromHours(1),
            Only: $"exists (select from failures f where f.queue = 'outbox' and f.identity = outbox.id and f.state = {FailureState.Archived:D} and f.restorable_until < now())"
        ),
        // What came to an end and is out of its queue. A dead-lettered failure stays as long as it is dead-lettered; a
        // row that has still a message in a queue would come back with the next look.
        new(
            "Failures",
            "failures",
            "closed_at",
            Keep: 90 * Day,
            Least: Day,
            Only: $"""
            closed_at is not null and state <> {FailureState.Failed:D}
                and (removed_at is not null or queue = 'outbox'
                and not exists (select from outbox o where o.id = failures.identity))
                and (state in ({FailureState.Redriven:D}, {FailureState.FailedAgain:D}, {FailureState.Gone:D})
                    or state = {FailureState.Archived:D} and restorable_until < now())
            """
        ),
        // With the history whose marks they are. Not while the build runs: its next process would be taken for a
        // deployment.
        new(
            "StepBuilds",
            "step_builds",
            "first_seen_at",
            Keep: 90 * Day,
            Least: Day,
            Only: "not exists (select from workers w where w.version = step_builds.build and step_builds.step = any (w.steps))"
        ),
        // As a whole: its messages go after it, so that the totals add up as long as they are shown. They were settled
        // before it was finished: both keep the same time, or many are looked at in vain.
        new("Redrives", "redrives", "finished_at", Keep: 180 * Day, Least: Day, Only: "finished_at is not null"),
        new(
            "RedriveItems",
            "redrive_items",
            "settled_at",
            Keep: 180 * Day,
            Least: Day,
            Only: "not exists (select from redrives r where r.id = redrive_items.redrive_id)"
        ),
        // As redrives: the action, then its targets.
        new("BulkActions", "bulk_actions", "finished_at", Keep: 180 * Day, Least: Day, Only: "finished_at is not null"),
        new(
            "BulkItems",
            "bulk_items",
            "settled_at",
            Keep: 180 * Day,
            Least: Day,
            Only: "not exists (select from bulk_actions a where a.id = bulk_items.bulk_action_id)"
        ),
    ];
}
