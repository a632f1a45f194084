namespace Orders.Producer.Api;

/// <summary>
/// Something read from the database again and again in the background. A failure is logged once, and the next try comes
/// by itself.
/// </summary>
/// <param name="what">What is refreshed, for the log.</param>
/// <param name="every">How often.</param>
/// <param name="log">The log.</param>
internal abstract class Refresh(string what, TimeSpan every, ILogger log) : BackgroundService
{
    // Until the first success nothing can be done, so ask more often.
    private static readonly TimeSpan WhenUrgent = TimeSpan.FromMilliseconds(500);

    /// <summary>Reads it.</summary>
    protected abstract Task RefreshAsync(CancellationToken cancellationToken);

    /// <summary>Whether the service cannot work before the next success.</summary>
    protected virtual bool IsUrgent => false;

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var failing = false;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await RefreshAsync(stoppingToken);
                if (failing)
                    ApiLog.RefreshRecovered(log, what);
                failing = false;
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
#pragma warning disable CA1031 // Whatever the reason, the next try may succeed; an exception that left here would end the whole process.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                if (!failing)
                    ApiLog.RefreshFailed(log, what, exception.Message, every);
                failing = true;
            }

            await Task.Delay(IsUrgent ? WhenUrgent : every, stoppingToken)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
