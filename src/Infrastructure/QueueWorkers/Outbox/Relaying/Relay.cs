using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using QueueWorkers.GroupCommit;
using QueueWorkers.Hosting;
using QueueWorkers.Messaging;
using QueueWorkers.Outbox.Relaying.Publishing;

namespace QueueWorkers.Outbox.Relaying;

/// <summary>
/// Moves committed messages to the broker. The life of a message:
/// 1. Its row is committed with the data, due a lease later, and it is offered to this process's relay in memory.
/// 2. The fast path (<see cref="RelayFastPath"/>) publishes what was offered, in batches, and awaits the broker's
///    confirms. Dying here sends nothing or sends it without anybody knowing: the row is still there.
/// 3. The cleanup (<see cref="ConfirmedRows"/>) deletes the rows of confirmed messages. Dying before that sends them a
///    second time after the lease; the idempotency table drops the copy.
/// 4. The poller (<see cref="RelayPoller"/>) takes rows that are due (left behind by a dead process, delayed on purpose,
///    or refused before) out of the table in a transaction, publishes and commits.
///    Dying in between rolls back. Rows locked by another poller are skipped, so any number of relays may run, and each
///    has a second poller that helps while there is more than a batch.
/// 5. What the broker refuses waits longer each time and is quarantined in the end; it never holds up the others.
/// 6. What goes where nothing is taken (a queue is full or silent) is sent once, through a lane of its own
///    (<see cref="RelaySlowLane"/>), and then waits in the table; the lane tries one row of it now and then
///    (<see cref="SlowDestinations"/>).
/// </summary>
public sealed class Relay : BackgroundService
{
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(3);

    private readonly BrokerConnection _broker;
    private readonly OutboxOptions _options;
    private readonly ILogger<Relay> _logger;
    private readonly ConfirmedRows _confirmed;
    private readonly RelaySends _sends;
    private readonly RelayFastPath _fastPath;
    private readonly RelayPoller _poller;
    private readonly RelaySlowLane _slowLane;

    /// <summary>Makes the loops, which share what they know of the broker's answers.</summary>
    public Relay(
        NpgsqlDataSource database,
        BrokerConnection broker,
        RelayFeed feed,
        OutboxOptions options,
        Fleet fleet,
        RelayMetrics metrics,
        ILogger<Relay> logger
    )
    {
        (_broker, _options, _logger) = (broker, options, logger);
        _confirmed = new ConfirmedRows(database, metrics, logger);
        _sends = new RelaySends(database, options, _confirmed, metrics, logger);
        _fastPath = new RelayFastPath(broker, feed, options, _sends);
        _poller = new RelayPoller(database, broker, feed, options, fleet, _sends);
        _slowLane = new RelaySlowLane(database, broker, feed, options, _sends);
    }

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // A loop that ends by itself takes the others along, and then the process (LoopWatch): three that go on would
        // hide that a fourth is missing.
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        var cleanup = _confirmed.CleanUpAsync(ending.Token);
        Task[] sending =
        [
            KeepRunningAsync("fast path", _fastPath.RunAsync, ending.Token),
            KeepRunningAsync("poller", _poller.RunAsync, ending.Token),
            KeepRunningAsync("second poller", _poller.HelpAsync, ending.Token),
            KeepRunningAsync("slow lane", _slowLane.RunAsync, ending.Token),
        ];
        await Task.WhenAny([cleanup, .. sending]);
        await ending.CancelAsync();
        try
        {
            await Task.WhenAll(sending);
        }
        finally
        {
            _confirmed.Complete();
            await cleanup;
        }

        if (!stoppingToken.IsCancellationRequested)
            throw new InvalidOperationException("A loop of the relay has ended by itself.");
    }

    /// <inheritdoc />
    public override void Dispose()
    {
        _sends.Dispose();
        base.Dispose();
    }

    private async Task KeepRunningAsync(
        string name,
        Func<RelayPublisher, CancellationToken, Task> loop,
        CancellationToken stopping
    )
    {
        var pause = ShortestPause;
        while (!stopping.IsCancellationRequested)
        {
            var began = Environment.TickCount64;
            try
            {
                // Inside: what its disposal throws must not end the loop either.
                await using var publisher = new RelayPublisher(_broker, _options.ConfirmTimeout);
                await _broker.OpenAsync(stopping);
                await loop(publisher, stopping);
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception)
                when (exception
                        is RabbitMQ.Client.Exceptions.RabbitMQClientException
                            or IOException
                            or NpgsqlException
                            or TimeoutException
                )
            {
                if (exception is NpgsqlException)
                    BrokerLog.DatabaseUnavailable(_logger, DatabaseFault.Explain(exception), pause);
                else
                    BrokerLog.Unreachable(_logger, _broker.Explain(exception), pause);
            }
#pragma warning disable CA1031 // The loop is the only way out of the outbox: whatever happened, it has to go on, and says so.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                BrokerLog.LoopFailed(_logger, exception, name);
            }

            // A loop that had worked for a while met something new: try again soon. One that fails at once waits longer
            // each time, and logs less.
            if (Environment.TickCount64 - began > LongestPause.TotalMilliseconds)
                pause = ShortestPause;
            await Task.Delay(pause, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            pause = TimeSpan.FromTicks(Math.Min(pause.Ticks * 2, LongestPause.Ticks));
        }
    }
}
