using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Orders.Infrastructure.Steps.Reports;

namespace Orders.Infrastructure.Cancellation;

/// <summary>
/// Once a second, while messages come or runs go on, asks what was cancelled (one indexed query for the whole process, however many messages it works on), and writes what running steps have told about themselves.
/// </summary>
internal sealed partial class CancellationPoll(Cancellations cancellations, RunningSteps running, StepReports reports, TimeProvider time, ILogger<CancellationPoll> logger)
    : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var answering = true;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                if (cancellations.IsUsed)
                    await cancellations.RefreshAsync(stoppingToken);
                await reports.FlushAsync(running.Runs, stoppingToken);
                answering = true;
            }
            catch (Exception exception) when (exception is NpgsqlException or TimeoutException)
            {
                // Said once: commits meet the cancellation by themselves, so nothing is wrong meanwhile, only slower.
                if (answering)
                    NoNews(logger, exception.Message);
                answering = false;
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }

            await Task.Delay(Interval, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    [LoggerMessage(2100, LogLevel.Warning, "Cancellations cannot be read: {Reason}. Steps of cancelled orders are undone after they were done until this works again.")]
    private static partial void NoNews(ILogger logger, string reason);
}
