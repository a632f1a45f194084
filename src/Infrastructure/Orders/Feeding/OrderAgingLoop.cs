using Microsoft.Extensions.Logging;
using QueueWorkers.Hosting;

namespace Orders.Infrastructure.Feeding;

/// <summary>Lets <see cref="OrderAging"/> look once a second.</summary>
internal sealed partial class OrderAgingLoop(OrderAging aging, TimeProvider time, ILogger<OrderAgingLoop> logger)
    : ResilientLoop(time)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    protected override async Task<TimeSpan> RunOnceAsync(CancellationToken cancellationToken)
    {
        if (await aging.LookAsync(cancellationToken) is > 0 and var copies)
            Overtaken(logger, copies);
        return Interval;
    }

    protected override void LogFault(Exception fault, TimeSpan retryAfter) => NotLooking(logger, fault.Message);

    [LoggerMessage(
        3100,
        LogLevel.Information,
        "Normal orders that premium orders had overtaken were sent again in the premium class: {Copies} steps"
    )]
    private static partial void Overtaken(ILogger logger, int copies);

    [LoggerMessage(3101, LogLevel.Warning, "Looking for overtaken normal orders failed; it is tried again. {Reason}")]
    private static partial void NotLooking(ILogger logger, string reason);
}
