using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;
using QueueWorkers.Clocks;
using QueueWorkers.Hosting;
using QueueWorkers.Messaging;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace QueueWorkers.DeadLetters.Reconciliation;

/// <summary>
/// Compares counts of index and queues every two seconds, and looks through a queue when there is something to take out
/// of it or put into it, when the counts differ twice in the same way (once may be a message on its way), and now and
/// then although they agree. Several processes may run it: each queue is looked through by one at a time.
/// </summary>
public sealed class FailureIndexer(
    NpgsqlDataSource database,
    [FromKeyedServices(FailureReconciler.Connection)] BrokerConnection broker,
    FailureReconciler reconciler,
    FailureOptions options,
    ILogger<FailureIndexer> logger
) : ResilientLoop(DatabaseClock.Provider)
{
    // What another copy has done is looked for while such a copy may still come: it is sent within minutes of the first.
    // Later ones are found by the full look.
    private static readonly string Expected = $"""
        select queue, count(*) filter (where removed_at is null),
            count(*) filter (where state not in ({FailureState.Failed:D}, {FailureState.Gone:D}) and removed_at is null
            or state = {FailureState.Failed:D} and (removed_at is not null
                or kind = {FailureKind.Error:D} and last_at > now() - interval '15 minutes'
                    and {FailureTable.IsDone("failures")}))
        from failures where {FailureTable.InQueue} or state = {FailureState.Failed:D} group by queue
        """;

    private static readonly TimeSpan MostForCounting = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    // A busy queue never shows the same difference twice; it is looked through all the same from time to time.
    private static readonly TimeSpan MostPatience = TimeSpan.FromSeconds(30);

    private readonly Dictionary<string, QueueWatch> _watches = [];
    private readonly HashSet<string> _missing = [];

    /// <summary>True: the next comparison may succeed.</summary>
    protected override bool SurvivesDefects => true;

    /// <inheritdoc />
    protected override async Task<TimeSpan> RunOnceAsync(CancellationToken cancellationToken)
    {
        var counting = await CompareAsync(cancellationToken);
        // With a million failures the counting itself costs: it may take a twentieth of the time.
        return TimeSpan.FromTicks(
            Math.Clamp(
                counting.Ticks * 20,
                options.Interval.Ticks,
                Math.Max(options.Interval.Ticks, MostForCounting.Ticks)
            )
        );
    }

    /// <inheritdoc />
    protected override bool IsOutage(Exception fault) =>
        fault is NpgsqlException or RabbitMQClientException or IOException or TimeoutException;

    /// <inheritdoc />
    protected override TimeSpan RetryAfter(int faults) => Backoff(options.Interval, LongestPause, faults);

    /// <inheritdoc />
    protected override void LogFault(Exception fault, TimeSpan retryAfter)
    {
        if (IsOutage(fault))
            FailureLog.CannotLook(logger, fault.InnerException?.Message ?? fault.Message, retryAfter);
        else
            FailureLog.LoopFailed(logger, fault);
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

    // A queue that is not there closes the channel, and must not keep the others from being looked at: it may belong to
    // a step that was retired.
    private async Task<Dictionary<string, uint>> CountsAsync(
        IConnection connection,
        CancellationToken cancellationToken
    )
    {
        var counts = new Dictionary<string, uint>();
        Failpoint.Hit("deadletter.before_compare", Outside.Broker);
        var channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken);
        try
        {
            foreach (var queue in await DeadLetterQueues.ReadAsync(database, cancellationToken))
            {
                try
                {
                    counts[queue] = (await channel.QueueDeclarePassiveAsync(queue, cancellationToken)).MessageCount;
                    _missing.Remove(queue);
                }
                catch (OperationInterruptedException gone)
                    when (gone.ShutdownReason?.ReplyCode is Constants.NotFound or Constants.AccessRefused)
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
        // An unavailable server goes on to the loop, which waits for it.
        catch (Exception exception)
            when (!cancellationToken.IsCancellationRequested
                && !QueueWorkers.GroupCommit.DatabaseFault.IsUnavailable(exception)
                && !BrokerFault.IsUnavailable(exception)
            )
        {
            FailureLog.QueueFailed(logger, exception, queue);
            Watch(queue).Looked(null);
        }
    }

    private QueueWatch Watch(string queue) =>
        _watches.TryGetValue(queue, out var watch)
            ? watch
            : _watches[queue] = new QueueWatch(options.FullLook, MostPatience);

    private async Task<Dictionary<string, (long Rows, long ToDo)>> ExpectedAsync(CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Expected);
        var expected = new Dictionary<string, (long, long)>();
        Failpoint.Hit("deadletter.before_count_expected", Outside.Database);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            expected[reader.GetString(0)] = (reader.IsDBNull(1) ? 0 : reader.GetInt64(1), reader.GetInt64(2));
        return expected;
    }
}
