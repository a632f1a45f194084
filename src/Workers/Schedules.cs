using Microsoft.Extensions.DependencyInjection.Extensions;
using Orders.Contracts;
using Orders.Infrastructure;
using Orders.Infrastructure.Completeness;
using Orders.Infrastructure.Erasing;
using QueueWorkers.Completeness;
using QueueWorkers.Retention;
using QueueWorkers.Scheduling;
using QueueWorkers.Scheduling.Changeable;

namespace Orders.Workers;

/// <summary>
/// The list of schedules. What fires is a message to a step, or a job that any worker process runs; operators pause and
/// change them while the system works, and create their own of the kinds that are declared changeable.
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
            .Changeable(
                "stock-report",
                "Mails a report on articles that run out to Email__ReportsTo: with a limit of its own, of all articles or some.",
                [
                    ScheduleField.Number("below", "Fewer pieces than", 1, 1_000_000),
                    ScheduleField.Text(
                        "articles",
                        "Article numbers begin with",
                        longest: 64,
                        pattern: "[A-Za-z0-9._-]+",
                        example: "MUG-",
                        required: false
                    ),
                ],
                (firing, payload) =>
                    new LowStockReportDue(
                        firing.Id,
                        firing.DueAt,
                        payload.Number("below"),
                        payload.OptionalText("articles")
                    ),
                smallestInterval: TimeSpan.FromMinutes(15)
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
