namespace Orders.Infrastructure.Retention;

/// <summary>What the framework's own tables keep. Not here, because for ever: effects (the guard behind the purged idempotency rows), step_runs, audit.</summary>
public static class RetentionRules
{
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    /// <summary>All of them.</summary>
    public static IReadOnlyList<RetentionRule> Framework { get; } =
    [
        // Longer than any redelivery schedule, or every late copy would run its step to find out at the commit that its effect is done.
        new("Idempotency", "idempotency", "at", Keep: 30 * Day, Least: Day),
        new("ScheduleRuns", "schedule_runs", "finished_at", Keep: 14 * Day, Least: TimeSpan.FromHours(1), Only: "status >= 2"),
        new("Duplicates", "duplicates", "at", Keep: 30 * Day, Least: TimeSpan.FromHours(1)),
        new("DuplicateCounts", "duplicate_counts", "minute", Keep: 90 * Day, Least: TimeSpan.FromHours(1)),
        new("CompletenessGaps", "completeness_gaps", "closed_at", Keep: 90 * Day, Least: TimeSpan.FromHours(1), Only: "closed_at is not null"),
        new("StepReports", "step_reports", "at", Keep: 30 * Day, Least: TimeSpan.FromHours(1)),
        // News for running processes; a run that began before the news is long over.
        new("CancelledSubjects", "cancelled_subjects", "at", Keep: Day, Least: TimeSpan.FromHours(1)),
        new("Suspects", "suspects", "at", Keep: 7 * Day, Least: TimeSpan.FromHours(1)),
    ];
}
