using System.Data;
using Npgsql;
using QueueWorkers.Data;
using QueueWorkers.DeadLetters.Recording;
using QueueWorkers.GroupCommit;

namespace QueueWorkers.DeadLetters;

/// <summary>
/// Keeps the index of quarantined outbox rows: a row each, closed when somebody released or removed the outbox row by
/// hand.
/// </summary>
internal static class QuarantineIndex
{
    /// <summary>The place of these rows in the index.</summary>
    public const string Queue = "outbox";

    // Of bodies in memory at once; one may exceed it. What is left comes with the next comparison.
    private const long MostBytes = 16 * 1024 * 1024;

    private static readonly string Missing = $"""
        select o.id, o.message_id, o.exchange, o.routing_key, o.content_type, o.headers, o.body, o.priority, o.attempts,
            o.last_error, o.dead_at,
            (select count(*)::integer from failures f where f.queue = 'outbox' and f.identity = o.id)
                as generation
        from outbox o where o.id = any(array(
            select id from (select id, sum(octet_length(body)) over (order by id) - octet_length(body) as before
                from (select d.id, d.body from outbox d where d.dead_at is not null and not exists (select from failures f
                    where f.queue = 'outbox' and f.identity = d.id
                    and f.state in ({FailureState.Failed:D}, {FailureState.Archived:D}))
                    order by d.id limit 1000) r) w
            where before < $1))
        order by o.id
        """;

    private static readonly string Close = $"""
        update failures f set state = {FailureState.Gone:D}, closed_at = now(), removed_at = now(),
            note = 'The row was released or removed in the outbox by hand.'
        from (select d.id from failures d where d.queue = 'outbox' and d.state = {FailureState.Failed:D}
            and not exists (select from outbox o where o.id = d.identity and o.dead_at is not null)
            order by d.id for no key update) l
        where f.id = l.id
        """;

    /// <summary>Makes index and quarantine agree; says how many rows are new.</summary>
    public static async Task<int> ReconcileAsync(NpgsqlDataSource database, CancellationToken cancellationToken)
    {
        Failpoint.Hit("deadletter.before_open_quarantine", Outside.Database);
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var missing = await ReadAsync(connection, cancellationToken);
        await FailureRows.WriteAsync(connection, missing, cancellationToken);
        await using var close = new NpgsqlCommand(Close, connection);
        Failpoint.Hit("deadletter.before_close_quarantined", Outside.Database);
        await close.ExecuteNonQueryAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        Failpoint.Hit("deadletter.after_close_quarantined", Outside.Database);
        return missing.Count;
    }

    private static async Task<List<DeadLetter>> ReadAsync(
        NpgsqlConnection connection,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(Missing, connection);
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = MostBytes });
        var rows = new List<DeadLetter>();
        Failpoint.Hit("deadletter.before_read_quarantine", Outside.Database);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var body = reader.GetFieldValue<byte[]>("body");
            var facts = EnvelopeFacts.Read(body);
            rows.Add(
                new DeadLetter
                {
                    Queue = Queue,
                    Kind = FailureKind.Quarantined,
                    Identity = reader.GetGuid("id"),
                    MessageId = facts.OriginalMessageId ?? reader.GetGuid("message_id"),
                    Generation = reader.GetInt32("generation"),
                    Copies = 1,
                    MessageType = facts.MessageType,
                    SubjectId = facts.CorrelationId ?? facts.SubjectInPayload(),
                    FaultType = "RefusedByTheBroker",
                    FaultMessage = StorableText.Of(
                        $"For exchange '{reader.GetString("exchange")}'{(reader.GetString("routing_key") is { Length: > 0 } key ? $", key '{key}'" : "")}: {(reader.IsDBNull("last_error") ? "no reason given" : reader.GetString("last_error"))}",
                        4000
                    ),
                    Attempts = reader.GetInt16("attempts"),
                    At = reader.GetFieldValue<DateTimeOffset>("dead_at"),
                    Payload = StorableText.OfNullable(facts.Payload, 1_000_000),
                    Body = body,
                    ContentType = reader.GetString("content_type"),
                    Headers = reader.GetString("headers"),
                    Priority = reader.Optional<short>("priority"),
                }
            );
        }

        return rows;
    }
}
