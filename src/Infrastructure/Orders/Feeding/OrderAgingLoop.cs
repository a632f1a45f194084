using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Orders.Infrastructure.Feeding;

/// <summary>Lets <see cref="OrderAging"/> look once a second.</summary>
internal sealed partial class OrderAgingLoop(OrderAging aging, TimeProvider time, ILogger<OrderAgingLoop> logger)
    : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var looking = true;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                if (await aging.LookAsync(stoppingToken) is > 0 and var copies)
                    Overtaken(logger, copies);
                looking = true;
            }
            catch (Exception exception) when (exception is NpgsqlException or TimeoutException)
            {
                if (looking)
                    NotLooking(logger, exception.Message);
                looking = false;
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }

            await Task.Delay(Interval, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

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
