using Microsoft.Extensions.Logging;

namespace Orders.Infrastructure.Invoices;

internal static partial class InvoiceLog
{
    [LoggerMessage(
        3200,
        LogLevel.Warning,
        "Counters of invoices were not compared with the numbers issued because the database did not answer. {Reason}"
    )]
    public static partial void CounterNotChecked(ILogger logger, string reason);
}
