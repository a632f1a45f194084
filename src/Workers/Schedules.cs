using Microsoft.Extensions.DependencyInjection.Extensions;
using Orders.Contracts;
using Orders.Infrastructure;
using Orders.Infrastructure.Completeness;
using Orders.Infrastructure.Erasing;
using QueueWorkers.Completeness;
using QueueWorkers.Retention;
using QueueWorkers.Scheduling;

namespace Orders.Workers;

/// <summary>
/// The list of schedules. What fires is a message to a step, or a job that any worker process runs; operators pause and
/// change them while the system works.
/// </summary>
public static class Schedules
{
    /// <summary>The catalogue that the deployment writes into the database.</summary>
    public static ScheduleCatalogue Catalogue { get; } =
        new ScheduleCatalogue()
            .Publish(
                "low-stock-report",
                "0 5 * * *",
                Misfire.Once,
                firing => new LowStockReportDue(firing.Id, firing.DueAt)
            )
            .Run<PurgeJob>(
                "purge",
                "*/10 * * * *",
                Misfire.Skip,
                services: (services, configuration) => services.AddRetention(configuration, OrderRetention.Rules)
            )
            .Run<ErasedInvoicesJob>(
                "erase-invoices",
                "30 3 * * *",
                Misfire.Once,
                services: (services, configuration) => services.AddSingleton(ErasureOptions.Read(configuration))
            )
            .Run<CompletenessJob>(
                "completeness",
                "* * * * *",
                Misfire.Skip,
                services: (services, configuration) =>
                {
                    services.TryAddSingleton(Steps.Catalogue);
                    services.AddCompleteness<OrderCompleteness>(configuration);
                }
            );
}
