using QueueWorkers.Completeness;
using QueueWorkers.Erasing;
using QueueWorkers.Idempotency;
using QueueWorkers.Operators.Accounts;
using QueueWorkers.Scheduling;

namespace QueueWorkers.Deployment;

/// <summary>
/// Rights on the framework's own tables, by what a process does. Workers delete effects: it is how a claim is taken
/// back.
/// </summary>
public static class FrameworkGrants
{
    /// <summary>Every process: publishes through the outbox, and reads which migration the database is at.</summary>
    public static IReadOnlyList<string> Publisher { get; } =
    ["select, insert, update, delete on outbox, slow_destinations", "select on \"__EFMigrationsHistory\""];

    /// <summary>A process that accepts subjects and shows where they stand.</summary>
    public static IReadOnlyList<string> Intake { get; } =
    [
        .. Publisher,
        "select on step_runs, step_catalogue, effects, step_reports",
        // Cancelling ends the waiting steps.
        "update on step_runs",
        "select, insert on cancelled_subjects",
        "select, insert, update on replays",
        .. DuplicateServices.Grants,
    ];

    /// <summary>
    /// The operators' process: reads everything, writes what operators decide. The audit record is insert-only, for it
    /// too.
    /// </summary>
    public static IReadOnlyList<string> Operator { get; } =
    [
        .. Publisher,
        "select on step_runs, step_catalogue, effects, idempotency",
        "select on step_attempts, subscriptions",
        // What an operator says of an uncertain effect; the index takes the keys of what it records and gives them back.
        "insert, delete on idempotency",
        "update (state, lease_until, at) on effects",
        // Role, password, key and session of an operator are changed by functions only.
        .. AccountFunctions.Grants,
        "select on operators, alert_rules",
        "update (silenced_until, threshold, hold, enabled) on alert_rules",
        "select, insert, update, delete on alerts",
        "select, insert, delete on step_history",
        "select, insert, update on failures, redrives, redrive_items, bulk_actions, bulk_items",
        "select, insert, update, delete on leases",
        "insert, update on step_runs",
        "select, insert on audit",
        "select, insert, update on step_controls",
        "select, update on breakers",
        "select on workers, dependency_calls, rate_buckets, step_builds",
        "update (drain_asked_at, drain_by, drain_reason) on workers",
        .. ScheduleDeployment.OperatorGrants,
        "select, update on completeness_gaps",
        "select on completeness_open, completeness_marks, duplicates, duplicate_counts",
        "select, insert, update on replays",
        "select, insert on cancelled_subjects",
        "select on step_reports",
        .. ErasureSql.Grants,
    ];

    /// <summary>
    /// Every worker: what is written for a step, and the jobs of the schedules, which any worker may run.
    /// </summary>
    public static IReadOnlyList<string> Worker { get; } =
    [
        .. Publisher,
        "select, insert, delete on idempotency",
        "select, insert, update, delete on effects",
        "select, insert, update on step_runs",
        "insert on step_attempts",
        "select on step_catalogue, cancelled_subjects, subscriptions, step_controls",
        "select, insert, update on step_reports, breakers",
        "select, insert, update, delete on suspects, leases, workers, dependency_calls, rate_buckets",
        "select, insert, delete on step_builds",
        .. DuplicateServices.Grants,
        .. ScheduleDeployment.Grants,
        .. CompletenessServices.Grants,
        // Purging by age.
        "delete on duplicates, duplicate_counts, step_reports, cancelled_subjects, failures",
        "select, delete on step_attempts, alerts, redrives, redrive_items, bulk_actions, bulk_items",
        "select, insert, update on failures",
    ];
}
