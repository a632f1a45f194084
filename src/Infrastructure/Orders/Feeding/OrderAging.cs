using System.Data;
using Npgsql;
using NpgsqlTypes;
using QueueWorkers.Data;
using QueueWorkers.Outbox;
using QueueWorkers.Outbox.Ids;
using QueueWorkers.Outbox.Relaying;
using QueueWorkers.PersonalData;

namespace Orders.Infrastructure.Feeding;

/// <summary>
/// Keeps normal orders from starving behind premium ones (ADR 0071). The broker's priorities are strict, so a normal
/// message may wait for ever while premium ones come.
/// Once a second one process of all (<see cref="AgingTurn"/>) looks at the orders that have just become as old as one
/// of <see cref="Ages"/>: whose step has not begun although it could have, while the same step was done for a premium
/// order accepted later, gets its message once more, in the premium class. The copy overtakes the original; whichever
/// comes second is dropped by the effect of the first. What is new costs one look by key a second, and a look at each
/// later age only while orders are unfinished at the first and a premium order has come since; a copy is written only
/// for an order that was overtaken, once for each of its steps in all: the copies of a step that were written stand in
/// <c>aged_messages</c>, in the transaction that writes them. So in an overload that lasts, no message is there more
/// than twice.
/// Dying before that transaction's commit loses nothing: the turn was not taken, and the next process looks from where
/// the last one stopped. Nor does dying after it:
/// the copies' rows lie in the outbox, and the next relay sends them.
/// </summary>
public sealed class OrderAging(NpgsqlDataSource database, RelayFeed relay, TimeProvider time, PersonalDataHash personal)
{
    /// <summary>
    /// How old a normal order is when it is looked at. Later looks are for those that were not overtaken yet at the
    /// first: behind a long queue of premium orders that had come before.
    /// </summary>
    public IReadOnlyList<TimeSpan> Ages { get; init; } =
    [TimeSpan.FromSeconds(15), TimeSpan.FromSeconds(35), TimeSpan.FromSeconds(90), TimeSpan.FromMinutes(5)];

    /// <summary>Looks once, unless somebody has looked in the last second.</summary>
    /// <returns>How many copies were written.</returns>
    /// <exception cref="NpgsqlException">The database cannot be read or written; the next look begins where this one
    /// did.</exception>
    public async Task<int> LookAsync(CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        if (await AgingTurn.TakeAsync(connection, now, cancellationToken) is not { } turn)
            return 0;

        var first = Ages.Min();
        var isBusy =
            turn.IsAfterGap || await AnyUnfinishedAsync(connection, turn.From - first, now - first, cancellationToken);
        if (isBusy)
            await AgingTurn.RememberBusyAsync(connection, now, cancellationToken);
        // An order that is unfinished at a later age was so at the first: where nobody was then, nobody is now. What
        // nobody looked at then counts as busy.
        TimeSpan[] ages =
        [
            .. Ages.Where(age => age == first ? isBusy : isBusy || turn.BusyAt >= turn.From - (age - first)),
        ];
        var overtaken =
            ages.Length > 0 && await AnyPremiumAsync(connection, turn.From - ages.Max(), now, cancellationToken)
                ? await OvertakenAsync(connection, ages, turn.From, now, cancellationToken)
                : [];
        if (overtaken.Count > 0)
        {
            await RememberAsync(connection, overtaken, cancellationToken);
            await OutboxWriter.InsertAsync(connection, [.. overtaken.Select(o => o.Copy)], cancellationToken);
        }

        await transaction.CommitAsync(cancellationToken);
        foreach (var (_, _, copy) in overtaken)
            relay.Offer(copy);
        return overtaken.Count;
    }

    private static async Task<bool> AnyUnfinishedAsync(
        NpgsqlConnection connection,
        DateTimeOffset from,
        DateTimeOffset to,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(AgingQueries.AnyUnfinished, connection);
        foreach (var parameter in Between(from, to))
            command.Parameters.Add(parameter);
        return await command.ExecuteScalarAsync(cancellationToken) is true;
    }

    private static async Task<bool> AnyPremiumAsync(
        NpgsqlConnection connection,
        DateTimeOffset from,
        DateTimeOffset to,
        CancellationToken cancellationToken
    )
    {
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(new NpgsqlBatchCommand(AgingQueries.ByIndexOnly));
        var first = new NpgsqlBatchCommand(AgingQueries.FirstPremium);
        first.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = TimedId.FirstAt(from) });
        first.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = TimedId.FirstAt(to) });
        batch.BatchCommands.Add(first);
        return await batch.ExecuteScalarAsync(cancellationToken) is Guid;
    }

    // One round trip. The oldest come first, should there be too many.
    private async Task<List<(Guid Order, string Step, OutboxMessage Copy)>> OvertakenAsync(
        NpgsqlConnection connection,
        TimeSpan[] ages,
        DateTimeOffset from,
        DateTimeOffset now,
        CancellationToken cancellationToken
    )
    {
        var overtaken = new Dictionary<(Guid Order, string Step), OutboxMessage>();
        await using var batch = new NpgsqlBatch(connection);
        foreach (var age in ages.OrderDescending())
            batch.BatchCommands.Add(LookAt(from - age, now - age, now));
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        do
        {
            while (await reader.ReadAsync(cancellationToken))
            {
                if (overtaken.Count < AgingQueries.Most)
                    overtaken.TryAdd((reader.GetGuid("id"), reader.GetString("step")), CopyFrom(reader));
            }
        } while (await reader.NextResultAsync(cancellationToken));

        return [.. overtaken.Select(o => (o.Key.Order, o.Key.Step, o.Value))];
    }

    private static async Task RememberAsync(
        NpgsqlConnection connection,
        List<(Guid Order, string Step, OutboxMessage Copy)> overtaken,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(AgingQueries.Remember, connection);
        command.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = [.. overtaken.Select(o => o.Order)] });
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. overtaken.Select(o => o.Step)] });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static NpgsqlBatchCommand LookAt(DateTimeOffset from, DateTimeOffset to, DateTimeOffset now)
    {
        var command = new NpgsqlBatchCommand(AgingQueries.Overtaken);
        foreach (var parameter in Between(from, to))
            command.Parameters.Add(parameter);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = TimedId.FirstAt(now) });
        return command;
    }

    private static NpgsqlParameter[] Between(DateTimeOffset from, DateTimeOffset to) =>
        [
            new NpgsqlParameter<Guid> { TypedValue = TimedId.FirstAt(from) },
            new NpgsqlParameter<Guid> { TypedValue = TimedId.FirstAt(to) },
            new NpgsqlParameter<DateTimeOffset> { TypedValue = from, NpgsqlDbType = NpgsqlDbType.TimestampTz },
            new NpgsqlParameter<DateTimeOffset> { TypedValue = to, NpgsqlDbType = NpgsqlDbType.TimestampTz },
        ];

    private OutboxMessage CopyFrom(NpgsqlDataReader reader)
    {
        var order = new PastOrder(
            reader.GetGuid("id"),
            reader.GetBoolean("premium"),
            reader.GetFieldValue<DateTimeOffset>("created_at"),
            reader.Optional<DateTimeOffset>("completed_at"),
            reader.GetString("customer_email")
        );
        return OrderFeed.MessageOf(
            personal,
            order,
            reader.GetString("step"),
            reader.GetFieldValue<string[]>("consumes"),
            OrderPriority.Premium
        );
    }
}
