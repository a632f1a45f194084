using Npgsql;
using NpgsqlTypes;

namespace QueueWorkers.Outbox;

/// <summary>
/// Outbox rows as arrays, a parameter per column: any number of rows in one statement that is prepared once.
/// </summary>
public static class OutboxColumns
{
    /// <summary>
    /// The insert, reading the parameters that <see cref="AddTo"/> added from number <paramref name="first"/> on. No
    /// row is due before it is written: looks at the table begin at a low-water mark.
    /// </summary>
    /// <param name="first">Number of the first of the parameters, from 1.</param>
    public static string Insert(int first) =>
        $"""
            insert into outbox (id, message_id, exchange, routing_key, correlation_id, content_type, headers, body,
                priority, mandatory, due_at, expires_at, attempts)
            select t.id, t.message_id, t.exchange, t.routing_key, t.correlation_id, t.content_type, t.headers, t.body,
                t.priority, t.mandatory,
                   case when t.due_at is null then clock_timestamp() + interval '{OutboxTable.Lease.TotalSeconds:0} seconds'
                       else greatest(t.due_at, now()) end, t.expires_at, 0
            from unnest(${first}::uuid[], ${first + 1}::text[], ${first + 2}::text[], ${first + 3}::text[], ${first
                + 4}::text[], ${first + 5}::text[], ${first + 6}::bytea[],
                        ${first + 7}::smallint[], ${first + 8}::boolean[], ${first + 9}::timestamptz[], ${first
                + 10}::uuid[], ${first + 11}::timestamptz[])
                 as t(message_id, exchange, routing_key, correlation_id, content_type, headers, body, priority,
                     mandatory, due_at, id, expires_at)
            """;

    /// <summary>Adds the columns of the messages.</summary>
    /// <param name="parameters">Where to.</param>
    /// <param name="messages">The rows.</param>
    public static void AddTo(NpgsqlParameterCollection parameters, IReadOnlyList<OutboxMessage> messages)
    {
        Add(parameters, NpgsqlDbType.Uuid, messages, static m => m.MessageId);
        Add(parameters, NpgsqlDbType.Text, messages, static m => m.Exchange);
        Add(parameters, NpgsqlDbType.Text, messages, static m => m.RoutingKey);
        Add(parameters, NpgsqlDbType.Text, messages, static m => m.CorrelationId);
        Add(parameters, NpgsqlDbType.Text, messages, static m => m.ContentType);
        Add(parameters, NpgsqlDbType.Text, messages, static m => m.Headers);
        Add(parameters, NpgsqlDbType.Bytea, messages, static m => m.Body);
        Add(parameters, NpgsqlDbType.Smallint, messages, static m => m.Priority);
        Add(parameters, NpgsqlDbType.Boolean, messages, static m => m.Mandatory);
        Add(parameters, NpgsqlDbType.TimestampTz, messages, static m => m.DueAt);
        Add(parameters, NpgsqlDbType.Uuid, messages, static m => m.Id);
        Add(parameters, NpgsqlDbType.TimestampTz, messages, static m => m.ExpiresAt);
    }

    private static void Add<T>(
        NpgsqlParameterCollection parameters,
        NpgsqlDbType type,
        IReadOnlyList<OutboxMessage> messages,
        Func<OutboxMessage, T> column
    )
    {
        var values = new T[messages.Count];
        for (var i = 0; i < values.Length; i++)
            values[i] = column(messages[i]);
        parameters.Add(new NpgsqlParameter<T[]> { TypedValue = values, NpgsqlDbType = NpgsqlDbType.Array | type });
    }
}
