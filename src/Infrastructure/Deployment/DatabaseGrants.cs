using Orders.Infrastructure.Completeness;
using Orders.Infrastructure.Idempotency;
using Orders.Infrastructure.Scheduling;

namespace Orders.Infrastructure.Deployment;

/// <summary>What the roles may do. Nobody but the deployment may change the schema, and nobody may delete an order, an invoice or a movement of stock. Workers delete effects: it is how a claim is taken back.</summary>
public static class DatabaseGrants
{
    private const string Relay = "select, insert, update, delete on outbox";
    private const string Version = "select on \"__EFMigrationsHistory\"";

    /// <summary>The API: writes new orders, reads everything it shows.</summary>
    public static IReadOnlyList<string> Api { get; } =
    [
        Relay, Version,
        "select, insert on orders, order_lines, order_progress, posted_keys",
        "select on step_runs, step_catalogue, effects, catalogue, stock, invoices, credit_notes, step_reports, api_keys",
        // Cancelling marks the order and ends its waiting steps.
        "update on order_progress, step_runs",
        "select, insert on cancelled_subjects, aged_messages", "select, update on ageing_looks",
        "select, insert, update on replays",
        "usage on sequence order_number",
        .. DuplicateServices.Grants,
    ];

    // What the jobs of the schedules do, which any worker may run: purging by age, and comparing ids and quantities. No name, address or price, and no key's body.
    private static readonly string[] Upkeep =
    [
        "delete on duplicates, duplicate_counts, step_reports, cancelled_subjects, failures", "select, delete on step_attempts, alerts, redrives, redrive_items, aged_messages", "select (at, ctid), delete on posted_keys",
        "select (id, created_at, release_at, premium) on orders", "select (order_id, quantity) on order_lines", "select (order_id, quantity) on stock_movements",
        "select (order_id, sha256) on invoices",
    ];

    /// <summary>The dashboard: reads everything it shows, writes what operators decide. The audit record is insert-only, for it too.</summary>
    public static IReadOnlyList<string> Dashboard { get; } =
    [
        Relay, Version,
        "select on orders, order_lines, order_progress, step_runs, step_catalogue, effects, idempotency, invoices, catalogue, stock, stock_movements",
        "select on step_attempts, subscriptions",
        // What an operator says of an uncertain effect.
        "insert on idempotency", "update (state, lease_until, at) on effects",
        "select, update on operators, alert_rules",
        "select, insert, update, delete on operator_sessions, alerts",
        "select, insert, delete on step_history",
        "select, insert, update on failures, redrives, redrive_items",
        "select, insert, update, delete on leases",
        "insert, update on step_runs",
        "select, insert on audit",
        "select, insert, update on step_controls", "select, update on breakers", "select on workers, dependency_calls, rate_buckets, step_builds", "update (drain_asked_at, drain_by, drain_reason) on workers",
        "select, update on schedules", "select, insert on schedule_runs", "select, update on completeness_gaps", "select on completeness_open, completeness_marks, duplicates, duplicate_counts",
        "select, insert, update on replays",
        // Cancelling an order, as the API does.
        "update on order_progress, step_runs",
        "select, insert on cancelled_subjects",
        "select on credit_notes, step_reports",
    ];

    /// <summary>Every worker: what the framework writes for a step. A step's own tables are in its policy.</summary>
    public static IReadOnlyList<string> Worker { get; } =
    [
        Relay, Version,
        "select, insert, delete on idempotency",
        "select, insert, update, delete on effects",
        "select, insert, update on step_runs",
        "insert on step_attempts",
        "select, update on order_progress",
        "select on step_catalogue, cancelled_subjects, subscriptions, step_controls",
        "select, insert, update on step_reports, breakers",
        "select, insert, update, delete on suspects, leases, workers, dependency_calls, rate_buckets", "select, insert, delete on step_builds",
        .. DuplicateServices.Grants,
        .. ScheduleDeployment.Grants,
        .. CompletenessServices.Grants,
        .. Upkeep,
        "select, insert, update on failures",
    ];
}
