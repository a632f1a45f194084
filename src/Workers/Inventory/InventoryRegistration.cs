using Orders.Infrastructure.Inventory;
using QueueWorkers.Steps;

namespace Orders.Workers.Inventory;

/// <summary>Registers what the inventory step needs.</summary>
public static class InventoryRegistration
{
    /// <summary>Adds the writers of reservations and releases. Called only where the step runs.</summary>
    public static IServiceCollection AddInventory(this IServiceCollection services) =>
        services.AddSingleton<IStepWriter, ReserveStockWriter>().AddSingleton<IStepWriter, ReleaseStockWriter>();
}
