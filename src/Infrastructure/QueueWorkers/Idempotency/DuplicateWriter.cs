using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using NpgsqlTypes;
using QueueWorkers.GroupCommit;

namespace QueueWorkers.Idempotency;

/// <summary>
/// Writes what <see cref="DuplicateEvidence"/> has noted, at most once a second, all in one statement. Sleeps while
/// there are no duplicates.
/// </summary>
internal sealed class DuplicateWriter(
    NpgsqlDataSource database,
    DuplicateEvidence evidence,
    ILogger<DuplicateWriter> logger
) : BackgroundService
{
    private static readonly TimeSpan Apart = TimeSpan.FromSeconds(1);

    // A copy that the broker did not mark is one that was published twice; unless the effect was made by another
    // message, which only the effect's row knows.
    private static readonly string Write = $"""
        with noted as (
            insert into duplicates (at, subject_id, step, effect, message_id, cause)
            select t.at, t.subject_id, t.step, t.effect, t.message_id,
                case when t.cause = {DuplicateCause.DoublePublish:D}
                and e.message_id <> t.message_id then {DuplicateCause.OtherMessage:D} else t.cause end
            from unnest($1::timestamptz[], $2::uuid[], $3::text[], $4::text[], $5::uuid[], $6::smallint[]) as t(at,
                subject_id, step, effect, message_id, cause)
                left join effects e on e.subject_id = t.subject_id and e.effect = t.effect)
        insert into duplicate_counts (minute, step, cause, count)
        select * from unnest($7::timestamptz[], $8::text[], $9::smallint[], $10::bigint[]) as t(minute, step, cause,
            count) order by 1, 2, 3
        on conflict (minute, step, cause) do update set count = duplicate_counts.count + excluded.count
        """;

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (await evidence.WaitAsync(stoppingToken))
            {
                await WriteAsync(stoppingToken);
                await Task.Delay(Apart, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Those that run longer than this loop are stopped by now: what they noted is written, if it can be written
            // at once.
            using var last = new CancellationTokenSource(Apart);
            await WriteAsync(last.Token);
        }
    }

    private async Task WriteAsync(CancellationToken cancellationToken)
    {
        var (notes, counts) = evidence.Take();
        if (notes.Count + counts.Count == 0)
            return;
        try
        {
            await DatabaseRetry.RunAsync(() => WriteAsync(notes, counts, cancellationToken), cancellationToken);
        }
        catch (Exception fault) when (fault is OperationCanceledException or NpgsqlException)
        {
            // Evidence, not the thing itself: it may be lost, but not in silence.
            IdempotencyLog.EvidenceLost(logger, counts.Sum(c => c.Count), fault.Message);
        }
    }

    private async Task WriteAsync(
        List<Duplicate> notes,
        List<DuplicateCount> counts,
        CancellationToken cancellationToken
    )
    {
        await using var command = database.CreateCommand(Write);
        var p = command.Parameters;
        p.Add(
            new NpgsqlParameter<DateTimeOffset[]>
            {
                TypedValue = [.. notes.Select(n => n.At)],
                NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.TimestampTz,
            }
        );
        p.Add(new NpgsqlParameter<Guid[]> { TypedValue = [.. notes.Select(n => n.SubjectId)] });
        p.Add(new NpgsqlParameter<string[]> { TypedValue = [.. notes.Select(n => n.Step)] });
        p.Add(new NpgsqlParameter<string[]> { TypedValue = [.. notes.Select(n => n.Effect)] });
        p.Add(
            new NpgsqlParameter<Guid?[]>
            {
                TypedValue = [.. notes.Select(n => n.MessageId)],
                NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Uuid,
            }
        );
        p.Add(new NpgsqlParameter<short[]> { TypedValue = [.. notes.Select(n => (short)n.Cause)] });
        p.Add(
            new NpgsqlParameter<DateTimeOffset[]>
            {
                TypedValue = [.. counts.Select(c => c.Minute)],
                NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.TimestampTz,
            }
        );
        p.Add(new NpgsqlParameter<string[]> { TypedValue = [.. counts.Select(c => c.Step)] });
        p.Add(new NpgsqlParameter<short[]> { TypedValue = [.. counts.Select(c => (short)c.Cause)] });
        p.Add(new NpgsqlParameter<long[]> { TypedValue = [.. counts.Select(c => c.Count)] });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
