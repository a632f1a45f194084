using Orders.Contracts;
using Orders.Workers.Email;
using Orders.Workers.Inventory;
using Orders.Workers.Invoice;
using Orders.Workers.Warehouse;
using Orders.Workers.Webhooks;
using QueueWorkers.Steps;

namespace Orders.Workers;

/// <summary>
/// The list of steps. A new step is a file with its consumer, one line here and one service in
/// <c>docker-compose.yml</c>.
/// </summary>
public static class Steps
{
    /// <summary>
    /// The catalogue that queues, permissions, the API's step list and the checks of the compose file are derived from.
    /// </summary>
    public static StepCatalogue Catalogue { get; } =
        new StepCatalogue()
            .Add<EmailStep>((services, configuration) => services.AddEmail(configuration))
            .Add<InventoryStep>((services, _) => services.AddInventory())
            .Add<InvoiceStep>((services, configuration) => services.AddInvoice(configuration))
            .Add<WarehouseStep>((services, configuration) => services.AddWarehouse(configuration))
            .Add<WebhookStep>((services, configuration) => services.AddWebhooks(configuration))
            .PublishesEvent<OrderCompleted>()
            .PublishesEvent<OrderRejected>();
}
