using System.Data;
using Microsoft.Extensions.Logging;
using Npgsql;
using QueueWorkers.Clocks;
using QueueWorkers.DeadLetters.Reconciliation;
using QueueWorkers.Hosting;
using QueueWorkers.Messaging;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace QueueWorkers.Erasing;

/// <summary>
/// Goes on with the erasures that have begun:
/// 1. An erasure is locked; one that another process is at is left to it.
/// 2. The next items are taken off the list and erased in the same transaction. Dying before its commit leaves both as
///    they were; whoever runs this next goes on there.
/// 3. When the list is empty, the queues are looked through in which erased messages still stand: the index takes them
///    out, as it does by itself from time to time.
/// 4. When none stands in a queue, the erasure is finished. A queue that cannot be looked through keeps it from its
///    end; the row says which and why.
/// </summary>
public sealed partial class ErasureRunner(
    NpgsqlDataSource database,
    ISubjectEraser eraser,
    FailureReconciler reconciler,
    QueuePresence presence,
    RabbitMqOptions broker,
    ILogger<ErasureRunner> logger
) : ResilientLoop(DatabaseClock.Provider)
{
    private const int BatchSize = 500;

    // What still has something to erase goes before what waits for a queue.
    private const string Next = """
        select e.id from erasures e where e.finished_at is null
        order by not exists (select from erasure_items i where i.erasure_id = e.id), e.id
        limit 1 for update skip locked
        """;

    private static readonly string Take = $"""
        delete from erasure_items where ctid = any (array(
            select ctid from erasure_items where erasure_id = $1 order by kind, id limit {BatchSize}))
        returning kind, id
        """;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    /// <summary>True: the erasure must end, and its next batch may succeed.</summary>
    protected override bool SurvivesDefects => true;

    /// <inheritdoc />
    protected override bool IsOutage(Exception fault) =>
        fault is NpgsqlException or RabbitMQClientException or IOException or TimeoutException
        || BrokerFault.IsUnavailable(fault);

    /// <inheritdoc />
    protected override TimeSpan RetryAfter(int faults) => Backoff(Interval, LongestPause, faults);

    /// <inheritdoc />
    protected override void LogFault(Exception fault, TimeSpan retryAfter) =>
        StandsStill(logger, fault.GetType().Name, retryAfter);

    /// <inheritdoc />
    protected override async Task<TimeSpan> RunOnceAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using (var transaction = await connection.BeginTransactionAsync(cancellationToken))
        {
            if (await NextAsync(connection, cancellationToken) is not { } erasure)
                return Interval;
            if (await EraseAsync(connection, erasure, cancellationToken))
            {
                await transaction.CommitAsync(CancellationToken.None);
                return TimeSpan.Zero;
            }

            if ((await InQueuesAsync(connection, cancellationToken)).Count == 0)
            {
                await ExecuteAsync(
                    connection,
                    "update erasures set finished_at = now(), waiting_for = null where id = $1",
                    erasure
                );
                await transaction.CommitAsync(CancellationToken.None);
                Finished(logger, erasure);
                return TimeSpan.Zero;
            }
        }

        var unreadable = new List<string>();
        // Without the lock: a look takes its time, and is safe to run twice.
        foreach (var queue in await InQueuesAsync(connection, cancellationToken))
        {
            try
            {
                if (await reconciler.LookAsync(queue, cancellationToken) is { Complete: false })
                    unreadable.Add(UnreadableQueue.TooLong(queue));
            }
            catch (OperationInterruptedException gone) when (gone.ShutdownReason?.ReplyCode == Constants.NotFound)
            {
                await LoseAsync(connection, queue);
            }
            catch (OperationInterruptedException refused) when (UnreadableQueue.IsRefused(refused))
            {
                if (await presence.IsGoneAsync(queue, cancellationToken))
                {
                    await LoseAsync(connection, queue);
                    continue;
                }

                // What stands in it is not erased, and the others are.
                QueueIsClosed(logger, queue);
                unreadable.Add(UnreadableQueue.Refused(queue, refused));
            }
            catch (Exception away) when (BrokerFault.IsUnavailable(away))
            {
                unreadable.Add(UnreadableQueue.Away(queue, away, broker));
                await ExecuteAsync(connection, ErasureSql.Wait, string.Join('\n', unreadable));
                throw;
            }
        }

        await ExecuteAsync(connection, ErasureSql.Wait, string.Join('\n', unreadable));
        return unreadable.Count == 0 ? Interval : LongestPause;
    }

    private async Task LoseAsync(NpgsqlConnection connection, string queue)
    {
        await ExecuteAsync(connection, ErasureSql.Lost, queue);
        QueueIsGone(logger, queue);
    }

    private static async Task<Guid?> NextAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Next, connection);
        return await command.ExecuteScalarAsync(cancellationToken) as Guid?;
    }

    private async Task<bool> EraseAsync(NpgsqlConnection connection, Guid erasure, CancellationToken cancellationToken)
    {
        var items = new List<(ErasureItemKind Kind, Guid Id)>();
        await using (var take = new NpgsqlCommand(Take, connection))
        {
            take.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = erasure });
            await using var reader = await take.ExecuteReaderAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
                items.Add(((ErasureItemKind)reader.GetInt16("kind"), reader.GetGuid("id")));
        }

        if (items.Count == 0)
            return false;
        var kinds = items.ToLookup(i => i.Kind, i => i.Id);
        Guid[] subjects = [.. kinds[ErasureItemKind.Subject]];
        // The application's part first: it locks its own rows, as every step does.
        await eraser.EraseAsync(connection, subjects, cancellationToken);
        await ExecuteAsync(
            connection,
            "select erase_subjects($1, $2)",
            subjects,
            kinds[ErasureItemKind.Failure].ToArray()
        );
        await ExecuteAsync(
            connection,
            "update erasures set done = done + $2 where id = $1",
            erasure,
            (long)items.Count
        );
        return true;
    }

    private static async Task<IReadOnlyList<string>> InQueuesAsync(
        NpgsqlConnection connection,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(ErasureSql.InQueues, connection);
        var queues = new List<string>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            queues.Add(reader.GetString("queue"));
        return queues;
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, params object[] values)
    {
        // A batch that has begun is not given up half-way by a process that stops.
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 120 };
        foreach (var value in values)
            command.Parameters.Add(new() { Value = value });
        await command.ExecuteNonQueryAsync(CancellationToken.None);
    }

    [LoggerMessage(4390, LogLevel.Information, "Erasure {Erasure} finished")]
    private static partial void Finished(ILogger logger, Guid erasure);

    [LoggerMessage(
        4392,
        LogLevel.Warning,
        "Queue {Queue} is gone, and with it the messages that were to be erased in it"
    )]
    private static partial void QueueIsGone(ILogger logger, string queue);

    [LoggerMessage(4393, LogLevel.Warning, "Queue {Queue} may not be read, and erased messages may stand in it")]
    private static partial void QueueIsClosed(ILogger logger, string queue);

    // The exception's text may quote a row.
    [LoggerMessage(4391, LogLevel.Warning, "Erasure stopped by {Fault}; it goes on after {RetryAfter}")]
    private static partial void StandsStill(ILogger logger, string fault, TimeSpan retryAfter);
}
