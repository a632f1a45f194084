using Npgsql;
using NpgsqlTypes;
using Orders.Infrastructure.Coalescing;
using Orders.Infrastructure.Outbox;

namespace Orders.Infrastructure.Orders.Intake;

/// <summary>The statements behind <see cref="OrderIntake"/>: any number of orders in one round trip and one commit.</summary>
internal static class OrderIntakeSql
{
    private const int LineParameters = 16;
    private const int OutboxParameters = LineParameters + 7;

    // Orders, lines, progress and messages in one statement: committed together or not at all, and nothing is sent before.
    private static readonly string Insert = $"""
        with o as (
            insert into orders (id, client_id, customer_name, customer_email, currency, total, premium, notes, ship_line1, ship_city, ship_postal_code, ship_country, release_at, created_at)
            select t.* from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::numeric[], $7::boolean[], $8::text[],
                                   $9::text[], $10::text[], $11::text[], $12::text[], $13::timestamptz[], $14::timestamptz[]) as t
            returning id, number),
        p as (
            insert into order_progress (order_id, required, done, parked) select t.id, t.required, 0, 0 from unnest($1::uuid[], $15::integer[]) as t(id, required)),
        l as (
            insert into order_lines (order_id, line, sku, name, quantity, unit_price, total)
            select t.* from unnest(${LineParameters}::uuid[], ${LineParameters + 1}::smallint[], ${LineParameters + 2}::text[], ${LineParameters + 3}::text[],
                                   ${LineParameters + 4}::integer[], ${LineParameters + 5}::numeric[], ${LineParameters + 6}::numeric[]) as t),
        m as (
            {OutboxColumns.Insert(OutboxParameters)})
        select id, number from o
        """;

    // The wait for a twin on another node is short: it ends with that node's commit, or with this statement's lock_timeout. A node that is frozen in mid-commit keeps its keys for as long as
    // PostgreSQL lets a transaction be idle (30 s), and meanwhile everybody else's orders would wait behind it.
    private const string TakeKeys = """
        insert into posted_keys (client_id, key, body_hash, order_id)
        select t.* from unnest($1::text[], $2::text[], $3::bytea[], $4::uuid[]) as t(client_id, key, body_hash, order_id) order by 1, 2
        on conflict do nothing returning order_id
        """;

    private const string FindKeys = """
        select k.client_id, k.key, k.body_hash, o.id, o.number, o.total, o.currency, o.created_at, p.status
        from unnest($1::text[], $2::text[]) as t(client_id, key)
        join posted_keys k using (client_id, key) join orders o on o.id = k.order_id join order_progress p on p.order_id = o.id
        """;

    /// <summary>Writes the orders; those whose key was used before are answered with what that key stands for and not written.</summary>
    /// <param name="database">The database.</param>
    /// <param name="orders">The orders.</param>
    /// <param name="messages">The message of each.</param>
    /// <param name="waitsBriefly">Whether these are a part of a batch that waited in vain for a lock.</param>
    public static async Task<IntakeResult[]> InsertAsync(NpgsqlDataSource database, IReadOnlyList<NewOrder> orders, IReadOnlyList<OutboxMessage> messages, bool waitsBriefly)
    {
        Failpoint.Hit("api.before_open", Outside.Database);
        await using var connection = await database.OpenConnectionAsync();
        var results = new IntakeResult[orders.Count];
        if (!orders.Any(o => o.IdempotencyKey is not null))
        {
            await InsertAsync(connection, orders, messages, results, Enumerable.Range(0, orders.Count).ToArray());
            return results;
        }

        await using var transaction = await connection.BeginTransactionAsync();
        HashSet<Guid> fresh;
        try
        {
            fresh = await TakeKeysAsync(connection, orders, waitsBriefly);
        }
        catch (PostgresException held) when (orders.Count == 1 && DatabaseFault.IsLockTimeout(held))
        {
            // Nothing was written: the key is being used by another process at this moment.
            return [new IntakeResult(IntakeOutcome.KeyInFlight, null)];
        }

        await AnswerRepeatedAsync(connection, orders, results, [.. Enumerable.Range(0, orders.Count).Where(i => !fresh.Contains(orders[i].Id))]);
        await InsertAsync(connection, orders, messages, results, [.. Enumerable.Range(0, orders.Count).Where(i => fresh.Contains(orders[i].Id))]);
        Failpoint.Hit("api.before_commit", Outside.Database);
        await transaction.CommitAsync();
        Failpoint.Hit("api.after_commit", Outside.Database);
        return results;
    }

    private static async Task InsertAsync(
        NpgsqlConnection connection, IReadOnlyList<NewOrder> all, IReadOnlyList<OutboxMessage> messages, IntakeResult[] results, int[] which)
    {
        if (which.Length == 0)
            return;

        var orders = Array.ConvertAll(which, i => all[i]);
        var lines = orders.SelectMany(o => o.Lines.Select((line, at) => (o.Id, At: (short)at, Line: line))).ToArray();
        await using var command = new NpgsqlCommand(Insert, connection);
        var p = command.Parameters;
        Add(p, NpgsqlDbType.Uuid, orders, o => o.Id);
        Add(p, NpgsqlDbType.Text, orders, o => o.ClientId);
        Add(p, NpgsqlDbType.Text, orders, o => o.CustomerName);
        Add(p, NpgsqlDbType.Text, orders, o => o.CustomerEmail);
        Add(p, NpgsqlDbType.Text, orders, o => o.Currency);
        Add(p, NpgsqlDbType.Numeric, orders, o => o.Total);
        Add(p, NpgsqlDbType.Boolean, orders, o => o.Premium);
        Add(p, NpgsqlDbType.Text, orders, o => o.Notes);
        Add(p, NpgsqlDbType.Text, orders, o => o.ShipLine1);
        Add(p, NpgsqlDbType.Text, orders, o => o.ShipCity);
        Add(p, NpgsqlDbType.Text, orders, o => o.ShipPostalCode);
        Add(p, NpgsqlDbType.Text, orders, o => o.ShipCountry);
        Add(p, NpgsqlDbType.TimestampTz, orders, o => o.ReleaseAt?.ToUniversalTime());
        Add(p, NpgsqlDbType.TimestampTz, orders, o => o.CreatedAt);
        Add(p, NpgsqlDbType.Integer, orders, o => o.RequiredSteps);
        Add(p, NpgsqlDbType.Uuid, lines, l => l.Id);
        Add(p, NpgsqlDbType.Smallint, lines, l => l.At);
        Add(p, NpgsqlDbType.Text, lines, l => l.Line.Sku);
        Add(p, NpgsqlDbType.Text, lines, l => l.Line.Name);
        Add(p, NpgsqlDbType.Integer, lines, l => l.Line.Quantity);
        Add(p, NpgsqlDbType.Numeric, lines, l => l.Line.UnitPrice);
        Add(p, NpgsqlDbType.Numeric, lines, l => l.Line.Total);
        OutboxColumns.AddTo(p, Array.ConvertAll(which, i => messages[i]));

        var numbers = new Dictionary<Guid, long>(orders.Length);
        Failpoint.Hit("api.before_insert", Outside.Database);
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
            numbers[reader.GetGuid(0)] = reader.GetInt64(1);
        Failpoint.Hit("api.after_insert", Outside.Database);

        foreach (var i in which)
        {
            var order = all[i];
            results[i] = new IntakeResult(
                IntakeOutcome.Accepted,
                new StoredOrder(order.Id, numbers[order.Id], order.Total, order.Currency, order.CreatedAt, OrderStatus.Accepted));
        }
    }

    private static async Task<HashSet<Guid>> TakeKeysAsync(NpgsqlConnection connection, IReadOnlyList<NewOrder> orders, bool waitsBriefly)
    {
        var keyed = orders.Where(o => o.IdempotencyKey is not null).ToArray();
        var command = new NpgsqlBatchCommand(TakeKeys);
        Add(command.Parameters, NpgsqlDbType.Text, keyed, o => o.ClientId);
        Add(command.Parameters, NpgsqlDbType.Text, keyed, o => o.IdempotencyKey);
        Add(command.Parameters, NpgsqlDbType.Bytea, keyed, o => o.BodyHash);
        Add(command.Parameters, NpgsqlDbType.Uuid, keyed, o => o.Id);

        var fresh = orders.Where(o => o.IdempotencyKey is null).Select(o => o.Id).ToHashSet();
        await using var batch = new NpgsqlBatch(connection) { BatchCommands = { waitsBriefly ? LockWait.Briefly() : LockWait.Shortly(), command, LockWait.AsUsual() } };
        Failpoint.Hit("api.before_take_keys", Outside.Database);
        await using var reader = await batch.ExecuteReaderAsync();
        await reader.NextResultAsync();
        while (await reader.ReadAsync())
            fresh.Add(reader.GetGuid(0));
        return fresh;
    }

    private static async Task AnswerRepeatedAsync(NpgsqlConnection connection, IReadOnlyList<NewOrder> orders, IntakeResult[] results, int[] which)
    {
        if (which.Length == 0)
            return;

        await using var command = new NpgsqlCommand(FindKeys, connection);
        Add(command.Parameters, NpgsqlDbType.Text, which, i => orders[i].ClientId);
        Add(command.Parameters, NpgsqlDbType.Text, which, i => orders[i].IdempotencyKey);
        var known = new Dictionary<(string, string), (byte[] Hash, StoredOrder Order)>();
        Failpoint.Hit("api.before_find_keys", Outside.Database);
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
        {
            known[(reader.GetString(0), reader.GetString(1))] = (
                reader.GetFieldValue<byte[]>(2),
                new StoredOrder(
                    reader.GetGuid(3), reader.GetInt64(4), reader.GetDecimal(5), reader.GetString(6), reader.GetFieldValue<DateTimeOffset>(7), (OrderStatus)reader.GetInt16(8)));
        }

        foreach (var i in which)
        {
            var (hash, order) = known[(orders[i].ClientId, orders[i].IdempotencyKey!)];
            results[i] = hash.AsSpan().SequenceEqual(orders[i].BodyHash)
                ? new IntakeResult(IntakeOutcome.Replayed, order)
                : new IntakeResult(IntakeOutcome.KeyUsedForAnotherBody, null);
        }
    }

    private static void Add<TItem, TValue>(NpgsqlParameterCollection parameters, NpgsqlDbType type, IReadOnlyCollection<TItem> items, Func<TItem, TValue> column)
    {
        var values = new TValue[items.Count];
        var at = 0;
        foreach (var item in items)
            values[at++] = column(item);
        parameters.Add(new NpgsqlParameter<TValue[]> { TypedValue = values, NpgsqlDbType = NpgsqlDbType.Array | type });
    }
}
