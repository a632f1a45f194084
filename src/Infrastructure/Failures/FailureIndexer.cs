using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Orders.Infrastructure.Messaging;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Orders.Infrastructure.Failures;

/// <summary>
/// Compares counts of index and queues every two seconds, and looks through a queue when there is something to take out of it or put into it, when the counts differ twice in the same way
/// (once may be a message on its way), and now and then although they agree. Several processes may run it: each queue is looked through by one at a time.
/// </summary>
public sealed class FailureIndexer(
    NpgsqlDataSource database, [FromKeyedServices(FailureReconciler.Connection)] BrokerConnection broker, FailureReconciler reconciler, FailureOptions options, ILogger<FailureIndexer> logger) : BackgroundService
{
    private const string Expected = $"""
        select queue, sum(greatest(copies, 1)) filter (where removed_at is null)::bigint, count(*) filter (where state not in (1, 6) and removed_at is null or state = 1 and removed_at is not null)
        from failures where {FailureTable.InQueue} or state = 1 group by queue
        """;

    private static readonly TimeSpan MostForCounting = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    // A busy queue never shows the same difference twice; it is looked through all the same from time to time.
    private static readonly TimeSpan MostPatience = TimeSpan.FromSeconds(30);

    private readonly Dictionary<string, QueueWatch> _watches = [];
    private readonly HashSet<string> _missing = [];

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var pause = options.Interval;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                var counting = await CompareAsync(stoppingToken);
                // With a million failures the counting itself costs: it may take a twentieth of the time.
                pause = TimeSpan.FromTicks(Math.Clamp(counting.Ticks * 20, options.Interval.Ticks, Math.Max(options.Interval.Ticks, MostForCounting.Ticks)));
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception) when (exception is NpgsqlException or RabbitMQClientException or IOException or TimeoutException)
            {
                pause = TimeSpan.FromTicks(Math.Min(pause.Ticks * 2, LongestPause.Ticks));
                FailureLog.CannotLook(logger, exception.InnerException?.Message ?? exception.Message, pause);
            }
#pragma warning disable CA1031 // Whatever it is, it is logged with everything, and the next comparison may succeed; an exception that left here would end the whole process.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                FailureLog.LoopFailed(logger, exception);
            }

            await Task.Delay(pause, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    // Returns how long the database took to count.
    private async Task<TimeSpan> CompareAsync(CancellationToken cancellationToken)
    {
        if (await QuarantineIndex.ReconcileAsync(database, cancellationToken) is > 0 and var quarantined)
            FailureLog.QuarantineFound(logger, quarantined);

        var watch = Stopwatch.StartNew();
        var expected = await ExpectedAsync(cancellationToken);
        var counting = watch.Elapsed;
        var connection = await broker.OpenAsync(cancellationToken);
        var counts = await CountsAsync(connection, cancellationToken);
        foreach (var (queue, ready) in counts)
        {
            var (rows, toDo) = expected.GetValueOrDefault(queue);
            if (Watch(queue).IsDue(rows, ready, toDo))
                await LookAsync(queue, cancellationToken);
        }

        return counting;
    }

    // A queue that is not there closes the channel, and must not keep the others from being looked at: it may belong to a step that was retired.
    private async Task<Dictionary<string, uint>> CountsAsync(IConnection connection, CancellationToken cancellationToken)
    {
        var counts = new Dictionary<string, uint>();
        Failpoint.Hit("parked.before_compare", Outside.Broker);
        var channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken);
        try
        {
            foreach (var queue in await ParkedQueues.ReadAsync(database, cancellationToken))
            {
                try
                {
                    counts[queue] = (await channel.QueueDeclarePassiveAsync(queue, cancellationToken)).MessageCount;
                    _missing.Remove(queue);
                }
                catch (OperationInterruptedException gone) when (gone.ShutdownReason?.ReplyCode is Constants.NotFound or Constants.AccessRefused)
                {
                    if (_missing.Add(queue))
                        FailureLog.QueueMissing(logger, queue, gone.ShutdownReason!.ReplyText);
                    await channel.DisposeAsync();
                    channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken);
                }
            }

            return counts;
        }
        finally
        {
            await channel.DisposeAsync();
        }
    }

    // A message that we cannot cope with must not keep the other queues from being looked at.
    private async Task LookAsync(string queue, CancellationToken cancellationToken)
    {
        try
        {
            Watch(queue).Looked(await reconciler.LookAsync(queue, cancellationToken, Watch(queue).Most));
        }
#pragma warning disable CA1031 // Logged with everything; an unavailable server goes on to the loop, which waits for it.
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested && !Coalescing.DatabaseFault.IsUnavailable(exception) && !BrokerFault.IsUnavailable(exception))
#pragma warning restore CA1031
        {
            FailureLog.QueueFailed(logger, exception, queue);
            Watch(queue).Looked(null);
        }
    }

    private QueueWatch Watch(string queue) => _watches.TryGetValue(queue, out var watch) ? watch : _watches[queue] = new QueueWatch(options.FullLook, MostPatience);

    private async Task<Dictionary<string, (long Rows, long ToDo)>> ExpectedAsync(CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Expected);
        var expected = new Dictionary<string, (long, long)>();
        Failpoint.Hit("parked.before_count_expected", Outside.Database);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            expected[reader.GetString(0)] = (reader.IsDBNull(1) ? 0 : reader.GetInt64(1), reader.GetInt64(2));
        return expected;
    }
}
