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
        "{Copies} steps of normal orders were overtaken by premium orders for too long; their messages are sent again in the premium class."
    )]
    private static partial void Overtaken(ILogger logger, int copies);

    [LoggerMessage(
        3101,
        LogLevel.Warning,
        "Nobody looks for normal orders that premium ones have overtaken, because the database does not answer: {Reason}"
    )]
    private static partial void NotLooking(ILogger logger, string reason);
}
