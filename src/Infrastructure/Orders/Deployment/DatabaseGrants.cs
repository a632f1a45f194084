using Orders.Infrastructure.Erasing;
using Orders.Infrastructure.Keys;
using Orders.Infrastructure.Webhooks;
using QueueWorkers.Deployment;
using QueueWorkers.Steps;

namespace Orders.Infrastructure.Deployment;

/// <summary>
/// What the roles may do. Nobody but the deployment may change the schema, and nobody may delete an order, an invoice
/// or a movement of stock.
/// </summary>
public sealed class DatabaseGrants : IDatabaseRoles
{
    /// <summary>The API: writes new orders, reads everything it shows.</summary>
    public static IReadOnlyList<string> Api { get; } =
    [
        .. FrameworkGrants.Intake,
        "select, insert on orders, order_lines, order_progress, posted_keys",
        "select on catalogue, stock, invoices, credit_notes, api_keys",
        // Cancelling marks the order.
        "update on order_progress",
        "select, insert on aged_messages",
        "select, update on aging_checkpoints",
        "usage on sequence order_number",
        .. WebhookRegistry.Grants,
    ];

    /// <summary>The dashboard: reads everything it shows, and cancels orders as the API does.</summary>
    public static IReadOnlyList<string> Dashboard { get; } =
    [
        .. FrameworkGrants.Operator,
        "select on orders, order_lines, order_progress, invoices, credit_notes, catalogue, stock, stock_movements",
        "select on order_shortages",
        "update on order_progress",
        .. WebhookDeliveryReader.Grants,
        .. OrderEraser.Grants,
        .. ClientKeyFunctions.Grants,
    ];

    /// <summary>Every worker. A step's own tables are in its policy.</summary>
    public static IReadOnlyList<string> Worker { get; } =
    [
        .. FrameworkGrants.Worker,
        "select, update on order_progress",
        // The jobs of the schedules: purging by age, and comparing ids and quantities. No name, address or price, and
        // no key's body.
        "select, delete on aged_messages",
        "select (at, ctid), delete on posted_keys",
        "select (id, client_id, created_at, release_at, premium) on orders",
        "select (order_id, quantity) on order_lines",
        "select (order_id, quantity) on stock_movements",
        "select (order_id, sha256) on invoices",
        // Whom to tell of an order's end, without addresses and secrets; and purging by age.
        .. WebhookNotifier.Grants,
        "delete on webhook_deliveries",
        .. ErasedInvoicesJob.Grants,
    ];

    /// <inheritdoc />
    public IEnumerable<(string Process, IReadOnlyList<string> Grants)> RolesOf(StepCatalogue catalogue) =>
        [
            ("api", Api),
            ("dashboard", Dashboard),
            .. catalogue.Steps.Select(step => (step.Name, (IReadOnlyList<string>)[.. Worker, .. step.Policy.Grants])),
        ];
}
