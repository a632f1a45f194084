using Npgsql;
using NpgsqlTypes;
using Orders.Infrastructure.Outbox;

namespace Orders.Infrastructure.Orders.Feeding;

/// <summary>
/// Keeps normal orders from starving behind premium ones (ADR 0071). The broker's priorities are strict, so a normal message may wait for ever while premium ones come.
/// Once a second one process of all looks at the orders that have just become as old as one of <see cref="Ages"/>: whose step has not begun although it could have, while the same
/// step was done for a premium order accepted later, gets its message once more, in the premium class. The copy overtakes the original; whichever comes second is dropped
/// by the effect of the first. What is new costs one look by key a second; a copy is written only for an order that was overtaken, once for each of its steps in all: the copies of a step
/// that were written stand in <c>aged_messages</c>, in the transaction that writes them. So in an overload that lasts, no message is there more than twice.
/// Dying before that transaction's commit loses a look: the original message is where it was, and the order is looked at again when it is older. Dying after it loses nothing:
/// the copies' rows lie in the outbox, and the next relay sends them.
/// </summary>
public sealed class OrderAgeing(NpgsqlDataSource database, RelayFeed relay, TimeProvider time)
{
    /// <summary>
    /// How old a normal order is when it is looked at. Later looks are for those that were not overtaken yet at the first: behind a long queue of premium orders that had come before.
    /// </summary>
    public IReadOnlyList<TimeSpan> Ages { get; init; } = [TimeSpan.FromSeconds(15), TimeSpan.FromSeconds(35), TimeSpan.FromSeconds(90), TimeSpan.FromMinutes(5)];

    // More in one look would make the premium class a crowd itself. Who has to stand back is looked at again at the next of the ages.
    private const int Most = 200;

    // Any number that nobody else uses.
    private const long Lock = 0x4f72646572730071;

    private static readonly string Overtaken = $"""
        with turn as materialized (
            select pg_try_advisory_xact_lock($6) as mine),
        stuck as materialized (
            select o.id, o.premium, o.created_at, p.completed_at, c.step, c.consumes, o.customer_email
            from orders o join order_progress p on p.order_id = o.id join step_catalogue c on c.active and c.bit & p.required & ~p.done <> 0
            where (select mine from turn) and not o.premium and p.parked = 0 and p.completed_at is null and p.rejected_at is null and p.cancelled_at is null
                and ((o.id >= $1 and o.id < $2 and o.release_at is null) or (o.release_at >= $4 and o.release_at < $5))
                and not exists (select from step_runs r where r.subject_id = o.id and r.step = c.step)
                and not exists (select from aged_messages a where a.subject_id = o.id and a.step = c.step and a.priority = {OrderPriority.Premium})
                and {OrderFeed.IsReady}
            order by o.id limit {Most}),
        overtaking as (
            select s.step from (select distinct step from stuck) s cross join lateral (
                select from orders y join step_runs r on r.subject_id = y.id and r.step = s.step and r.status = 2 where y.premium and y.id >= $1 and y.id < $3 limit 1) y)
        select id, premium, created_at, completed_at, step, consumes, customer_email from stuck join overtaking using (step)
        """;

    private static readonly string Remember = $"insert into aged_messages (subject_id, step, priority) select subject_id, step, {OrderPriority.Premium} from unnest($1, $2) as t(subject_id, step) on conflict do nothing";

    // Another process may have had the turn for a long time: then its looks were made.
    private static readonly TimeSpan LongestGap = TimeSpan.FromSeconds(5);

    private DateTimeOffset _lastLook;

    /// <summary>Looks once.</summary>
    /// <returns>How many copies were written.</returns>
    /// <exception cref="NpgsqlException">The database cannot be read or written; the next look begins where this one did.</exception>
    public async Task<int> LookAsync(CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var from = _lastLook > now - LongestGap ? _lastLook : now - LongestGap;
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        // The turn is over at its end, so nobody else looks between the look and the memory of it.
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var overtaken = await OvertakenAsync(connection, from, now, cancellationToken);
        if (overtaken.Count > 0)
        {
            await RememberAsync(connection, overtaken, cancellationToken);
            await OutboxWriter.InsertAsync(connection, [.. overtaken.Select(o => o.Copy)], cancellationToken);
        }

        await transaction.CommitAsync(cancellationToken);
        foreach (var (_, _, copy) in overtaken)
            relay.Offer(copy);
        _lastLook = now;
        return overtaken.Count;
    }

    // One round trip. The oldest come first, should there be too many.
    private async Task<List<(Guid Order, string Step, OutboxMessage Copy)>> OvertakenAsync(NpgsqlConnection connection, DateTimeOffset from, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var overtaken = new Dictionary<(Guid Order, string Step), OutboxMessage>();
        await using var batch = new NpgsqlBatch(connection);
        foreach (var age in Ages.OrderDescending())
            batch.BatchCommands.Add(LookAt(from - age, now - age, now));
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        do
        {
            while (await reader.ReadAsync(cancellationToken))
            {
                if (overtaken.Count < Most)
                    overtaken.TryAdd((reader.GetGuid(0), reader.GetString(4)), CopyFrom(reader));
            }
        }
        while (await reader.NextResultAsync(cancellationToken));

        return [.. overtaken.Select(o => (o.Key.Order, o.Key.Step, o.Value))];
    }

    private static async Task RememberAsync(NpgsqlConnection connection, List<(Guid Order, string Step, OutboxMessage Copy)> overtaken, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Remember, connection);
        command.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = [.. overtaken.Select(o => o.Order)] });
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. overtaken.Select(o => o.Step)] });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static NpgsqlBatchCommand LookAt(DateTimeOffset from, DateTimeOffset to, DateTimeOffset now) => new(Overtaken)
    {
        Parameters =
        {
            new NpgsqlParameter<Guid> { TypedValue = TimedId.FirstAt(from) },
            new NpgsqlParameter<Guid> { TypedValue = TimedId.FirstAt(to) },
            new NpgsqlParameter<Guid> { TypedValue = TimedId.FirstAt(now) },
            new NpgsqlParameter<DateTimeOffset> { TypedValue = from, NpgsqlDbType = NpgsqlDbType.TimestampTz },
            new NpgsqlParameter<DateTimeOffset> { TypedValue = to, NpgsqlDbType = NpgsqlDbType.TimestampTz },
            new NpgsqlParameter<long> { TypedValue = Lock },
        },
    };

    private static OutboxMessage CopyFrom(NpgsqlDataReader reader)
    {
        var order = new PastOrder(
            reader.GetGuid(0), reader.GetBoolean(1), reader.GetFieldValue<DateTimeOffset>(2), reader.IsDBNull(3) ? null : reader.GetFieldValue<DateTimeOffset>(3),
            reader.GetString(6));
        return OrderFeed.MessageOf(order, reader.GetString(4), reader.GetFieldValue<string[]>(5), OrderPriority.Premium);
    }
}
