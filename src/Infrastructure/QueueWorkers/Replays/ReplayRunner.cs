using Microsoft.Extensions.Logging;
using Npgsql;
using NpgsqlTypes;
using QueueWorkers.GroupCommit;
using QueueWorkers.Hosting;
using QueueWorkers.Outbox;
using QueueWorkers.Outbox.Relaying;

namespace QueueWorkers.Replays;

/// <summary>
/// Goes on with the running replays, once a second:
/// 1. A replay is locked; one that another process is at is left to it.
/// 2. The next subjects are read behind the cursor, and the messages for them are written into the outbox.
/// 3. The cursor moves in the same transaction. Dying before its commit sends nothing and repeats the batch; dying
///    after it goes on behind it: no subject is fed twice or left out.
/// A copy that comes all the same, because the step was done in between, is dropped by its effect.
/// </summary>
public sealed partial class ReplayRunner(
    NpgsqlDataSource database,
    IReplaySource source,
    RelayFeed relay,
    TimeProvider time,
    ILogger<ReplayRunner> logger
) : ResilientLoop(time)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    // Where most has been done already, looking is cheap and only the messages count for the rate.
    private const int MostBatchesATurn = 10;

    private const string Move = """
        update replays set cursor = coalesce($2, cursor), seen = seen + $3, fed = fed + $4,
            already_done = already_done + $5, state = $6, last_error = $7, updated_at = now()
        where id = $1
        """;

    /// <summary>Gives every running replay its share of a second.</summary>
    /// <exception cref="NpgsqlException">The database does not answer; nothing is lost.</exception>
    public async Task TurnAsync(CancellationToken cancellationToken)
    {
        for (var last = Guid.Empty; ; )
        {
            if (await FeedAsync(last, cancellationToken) is not { } fed)
                return;
            last = fed;
        }
    }

    /// <inheritdoc />
    protected override async Task<TimeSpan> RunOnceAsync(CancellationToken cancellationToken)
    {
        await TurnAsync(cancellationToken);
        return Interval;
    }

    /// <inheritdoc />
    protected override void LogFault(Exception fault, TimeSpan retryAfter) => StandsStill(logger, fault.Message);

    private async Task<Guid?> FeedAsync(Guid after, CancellationToken cancellationToken)
    {
        var fed = 0;
        for (var batches = 0; ; batches++)
        {
            await using var connection = await database.OpenConnectionAsync(cancellationToken);
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
            if (await ReplayService.LockNextAsync(connection, after, cancellationToken) is not { } replay)
                return null;

            ReplayBatch batch;
            var limit = replay.PerSecond - fed;
            try
            {
                batch = await source.NextAsync(connection, replay, limit, cancellationToken);
            }
            catch (Exception fault)
                when (fault is not (NpgsqlException or TimeoutException or OperationCanceledException))
            {
                // What was possible when it began is not any more, such as a step that was taken out: it stands, and
                // says why. So does one that meets a defect:
                // left to the loop, it would stop this process, and then the next one.
                var reason =
                    fault is ReplayRefusedException ? fault.Message : $"{fault.GetType().Name}: {fault.Message}";
                await MoveAsync(
                    connection,
                    replay,
                    new ReplayBatch([], 0, 0, null),
                    ReplayState.Failed,
                    StorableText.Of(PersonalText.Of(reason), 2000)
                );
                await transaction.CommitAsync(CancellationToken.None);
                return replay.Id;
            }

            var finished = batch.Seen < limit;
            await OutboxWriter.InsertAsync(connection, batch.Messages, cancellationToken);
            await MoveAsync(connection, replay, batch, finished ? ReplayState.Finished : ReplayState.Running, null);
            await transaction.CommitAsync(CancellationToken.None);
            foreach (var message in batch.Messages)
                relay.Offer(message);

            fed += batch.Messages.Count;
            if (finished || fed >= replay.PerSecond || batches == MostBatchesATurn)
                return replay.Id;
        }
    }

    private static async Task MoveAsync(
        NpgsqlConnection connection,
        Replay replay,
        ReplayBatch batch,
        ReplayState state,
        string? error
    )
    {
        await using var command = new NpgsqlCommand(Move, connection);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = replay.Id });
        command.Parameters.Add(
            new NpgsqlParameter { Value = (object?)batch.Last ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Uuid }
        );
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = batch.Seen });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = batch.Messages.Count });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = batch.AlreadyDone });
        command.Parameters.Add(new NpgsqlParameter<short> { TypedValue = (short)state });
        command.Parameters.Add(
            new NpgsqlParameter { Value = (object?)error ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text }
        );
        await command.ExecuteNonQueryAsync();
    }

    [LoggerMessage(
        3110,
        LogLevel.Warning,
        "Replays stopped because the database did not answer; they go on when it does. {Reason}"
    )]
    private static partial void StandsStill(ILogger logger, string reason);
}
