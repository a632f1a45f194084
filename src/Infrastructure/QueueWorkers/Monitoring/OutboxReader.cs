using System.Data;
using Npgsql;
using NpgsqlTypes;
using QueueWorkers.Data;
using QueueWorkers.Outbox.Relaying;

namespace QueueWorkers.Monitoring;

/// <summary>
/// Reads the outbox as a queue. Every statement walks one of its two partial indexes and is bounded, so a million rows
/// cost what ten thousand cost.
/// </summary>
public sealed class OutboxReader(NpgsqlDataSource database, RelayFeed relay)
{
    /// <summary>Beyond this many, "more than" is as good as a number.</summary>
    public const int MostCounted = 10_000;

    // "Late" leaves the writer its lease: a row that the process which wrote it is about to send is not late.
    private static readonly string Figures = $"""
        select (select count(*) from (select from outbox where dead_at is null and due_at >= $1
            and due_at < now() - interval '1 second'
            limit {MostCounted}) l) as late,
               (select min(due_at) from outbox where dead_at is null and due_at >= $1
                   and due_at < now() - interval '1 second') as late_since,
               (select count(*) from (select from outbox where dead_at is null and due_at > now() + interval '6 seconds'
                   limit {MostCounted}) l) as delayed,
               (select min(due_at) from outbox where dead_at is null and due_at > now() + interval '6 seconds')
                   as delayed_until,
               (select count(*) from (select from outbox where dead_at is not null limit {MostCounted}) l) as quarantined
        """;

    private const string Columns = "id, message_id, exchange, correlation_id, due_at, attempts, last_error, dead_at";

    /// <summary>Reads the figures.</summary>
    /// <exception cref="NpgsqlException">The database cannot be read.</exception>
    public async Task<OutboxFigures> ReadAsync(CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Figures);
        // What was sent may still lie before it, when a snapshot is held.
        command.Parameters.Add(new NpgsqlParameter<DateTimeOffset> { TypedValue = relay.LowWater.From });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return new OutboxFigures(
            reader.GetInt64("late"),
            reader.Optional<DateTimeOffset>("late_since"),
            reader.GetInt64("delayed"),
            reader.Optional<DateTimeOffset>("delayed_until"),
            reader.GetInt64("quarantined")
        );
    }

    /// <summary>Lists messages in the order in which they are due, or were quarantined.</summary>
    /// <param name="part">Which.</param>
    /// <param name="after">The last entry's due time and id on the page before; null for the first page.</param>
    /// <param name="limit">How many at most.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="NpgsqlException">The database cannot be read.</exception>
    public async Task<IReadOnlyList<OutboxEntry>> ListAsync(
        OutboxPart part,
        (DateTimeOffset At, Guid Id)? after,
        int limit,
        CancellationToken cancellationToken
    )
    {
        var (condition, time) = part switch
        {
            OutboxPart.Late => ("dead_at is null and due_at < now() - interval '1 second'", "due_at"),
            OutboxPart.Delayed => ("dead_at is null and due_at > now() + interval '6 seconds'", "due_at"),
            _ => ("dead_at is not null", "dead_at"),
        };
        // The bound on the time alone lets the index begin there; the pair decides.
        await using var command = database.CreateCommand(
            $"""
            select {Columns} from outbox where {condition}
                and ($1::timestamptz is null or ({time} >= $1 and ({time}, id) > ($1, $2))) order by {time}, id limit $3
            """
        );
        command.Parameters.Add(
            new()
            {
                Value = after is { } a ? a.At.ToUniversalTime() : DBNull.Value,
                NpgsqlDbType = NpgsqlDbType.TimestampTz,
            }
        );
        command.Parameters.Add(new() { Value = after?.Id ?? Guid.Empty });
        command.Parameters.Add(new() { Value = limit });
        return await ReadAsync(command, cancellationToken);
    }

    /// <summary>
    /// The messages about one subject, found by looking through the whole outbox: only for one that is small.
    /// </summary>
    /// <exception cref="NpgsqlException">The database cannot be read.</exception>
    public async Task<IReadOnlyList<OutboxEntry>> OfSubjectAsync(
        Guid subject,
        int lookThrough,
        CancellationToken cancellationToken
    )
    {
        await using var command = database.CreateCommand(
            $"select {Columns} from (select * from outbox limit $2) o where correlation_id = $1 order by due_at limit 50"
        );
        command.Parameters.Add(new() { Value = subject.ToString() });
        command.Parameters.Add(new() { Value = lookThrough });
        return await ReadAsync(command, cancellationToken);
    }

    private static async Task<IReadOnlyList<OutboxEntry>> ReadAsync(
        NpgsqlCommand command,
        CancellationToken cancellationToken
    )
    {
        var entries = new List<OutboxEntry>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            entries.Add(
                new OutboxEntry(
                    reader.GetGuid("id"),
                    reader.GetGuid("message_id"),
                    reader.GetString("exchange"),
                    reader.OptionalText("correlation_id"),
                    reader.GetFieldValue<DateTimeOffset>("due_at"),
                    reader.GetInt16("attempts"),
                    reader.OptionalText("last_error"),
                    reader.Optional<DateTimeOffset>("dead_at")
                )
            );
        }

        return entries;
    }
}
