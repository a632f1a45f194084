using Npgsql;
using NpgsqlTypes;
using QueueWorkers.GroupCommit;
using QueueWorkers.Outbox;

namespace Orders.Infrastructure.Intake;

/// <summary>
/// The statements behind <see cref="OrderIntake"/>: any number of orders in one round trip and one commit.
/// </summary>
internal static class OrderIntakeSql
{
    private const int LineParameters = 17;
    private const int OutboxParameters = LineParameters + 8;

    // Orders, lines, progress and messages in one statement: committed together or not at all, and nothing is sent
    // before.
    private static readonly string Insert = $"""
        with o as (
            insert into orders (id, client_id, customer_name, customer_email, currency, total, premium, notes,
                ship_line1, ship_city, ship_postal_code, ship_country, release_at, created_at, locale)
            select t.* from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::numeric[],
                $7::boolean[], $8::text[],
                                   $9::text[], $10::text[], $11::text[], $12::text[], $13::timestamptz[],
                                       $14::timestamptz[], $15::text[]) as t
            returning id, number),
        p as (
            insert into order_progress (order_id, required, done, failed) select t.id, t.required, 0, 0
                from unnest($1::uuid[], $16::integer[]) as t(id, required)),
        l as (
            insert into order_lines (order_id, line, sku, name, quantity, unit_price, total, vat_rate)
            select t.* from unnest(${LineParameters}::uuid[], ${LineParameters + 1}::smallint[], ${LineParameters
            + 2}::text[], ${LineParameters + 3}::text[],
                                   ${LineParameters + 4}::integer[], ${LineParameters + 5}::numeric[], ${LineParameters
            + 6}::numeric[], ${LineParameters + 7}::numeric[]) as t),
        m as (
            {OutboxColumns.Insert(OutboxParameters)})
        select id, number from o
        """;

    /// <summary>
    /// Writes the orders; those whose key was used before are answered with what that key stands for and not written.
    /// </summary>
    /// <param name="database">The database.</param>
    /// <param name="orders">The orders.</param>
    /// <param name="messages">The message of each.</param>
    /// <param name="waitsBriefly">Whether these are a part of a batch that waited in vain for a lock.</param>
    public static async Task<IntakeResult[]> InsertAsync(
        NpgsqlDataSource database,
        IReadOnlyList<NewOrder> orders,
        IReadOnlyList<OutboxMessage> messages,
        bool waitsBriefly
    )
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
        KeyUse[] uses = [.. orders.Where(o => o.IdempotencyKey is not null).Select(o => o.ToKeyUse())];
        HashSet<Guid> taken;
        try
        {
            taken = await PostedKeysSql.TakeAsync(connection, uses, waitsBriefly);
        }
        catch (PostgresException held) when (orders.Count == 1 && DatabaseFault.IsLockTimeout(held))
        {
            // Nothing was written: the key is being used by another process at this moment.
            return [new IntakeResult(IntakeOutcome.KeyInFlight, null)];
        }

        KeyUse[] repeated = [.. uses.Where(u => !taken.Contains(u.OrderId))];
        var earlier = await PostedKeysSql.FindAsync(connection, repeated);
        var isRepeated = repeated.Select(u => u.OrderId).ToHashSet();
        List<int> fresh = [];
        for (var i = 0; i < orders.Count; i++)
        {
            // Purged since it was found to be used: nobody knows any more what it stood for, and the next try takes it.
            if (isRepeated.Contains(orders[i].Id))
                results[i] =
                    earlier.GetValueOrDefault(orders[i].Id) ?? new IntakeResult(IntakeOutcome.KeyInFlight, null);
            else
                fresh.Add(i);
        }

        await InsertAsync(connection, orders, messages, results, [.. fresh]);
        Failpoint.Hit("api.before_commit", Outside.Database);
        await transaction.CommitAsync();
        Failpoint.Hit("api.after_commit", Outside.Database);
        return results;
    }

    private static async Task InsertAsync(
        NpgsqlConnection connection,
        IReadOnlyList<NewOrder> all,
        IReadOnlyList<OutboxMessage> messages,
        IntakeResult[] results,
        int[] which
    )
    {
        if (which.Length == 0)
            return;

        var orders = Array.ConvertAll(which, i => all[i]);
        var lines = orders.SelectMany(o => o.Lines.Select((line, at) => (o.Id, At: (short)at, Line: line))).ToArray();
        await using var command = new NpgsqlCommand(Insert, connection);
        var p = command.Parameters;
        p.AddColumn(NpgsqlDbType.Uuid, orders, o => o.Id);
        p.AddColumn(NpgsqlDbType.Text, orders, o => o.ClientId);
        p.AddColumn(NpgsqlDbType.Text, orders, o => o.CustomerName);
        p.AddColumn(NpgsqlDbType.Text, orders, o => o.CustomerEmail);
        p.AddColumn(NpgsqlDbType.Text, orders, o => o.Currency);
        p.AddColumn(NpgsqlDbType.Numeric, orders, o => o.Total);
        p.AddColumn(NpgsqlDbType.Boolean, orders, o => o.Premium);
        p.AddColumn(NpgsqlDbType.Text, orders, o => o.Notes);
        p.AddColumn(NpgsqlDbType.Text, orders, o => o.ShipLine1);
        p.AddColumn(NpgsqlDbType.Text, orders, o => o.ShipCity);
        p.AddColumn(NpgsqlDbType.Text, orders, o => o.ShipPostalCode);
        p.AddColumn(NpgsqlDbType.Text, orders, o => o.ShipCountry);
        p.AddColumn(NpgsqlDbType.TimestampTz, orders, o => o.ReleaseAt?.ToUniversalTime());
        p.AddColumn(NpgsqlDbType.TimestampTz, orders, o => o.CreatedAt);
        p.AddColumn(NpgsqlDbType.Text, orders, o => o.Locale);
        p.AddColumn(NpgsqlDbType.Integer, orders, o => o.RequiredSteps);
        p.AddColumn(NpgsqlDbType.Uuid, lines, l => l.Id);
        p.AddColumn(NpgsqlDbType.Smallint, lines, l => l.At);
        p.AddColumn(NpgsqlDbType.Text, lines, l => l.Line.Sku);
        p.AddColumn(NpgsqlDbType.Text, lines, l => l.Line.Name);
        p.AddColumn(NpgsqlDbType.Integer, lines, l => l.Line.Quantity);
        p.AddColumn(NpgsqlDbType.Numeric, lines, l => l.Line.UnitPrice);
        p.AddColumn(NpgsqlDbType.Numeric, lines, l => l.Line.Total);
        p.AddColumn(NpgsqlDbType.Numeric, lines, l => l.Line.VatRate);
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
                new StoredOrder(
                    order.Id,
                    numbers[order.Id],
                    order.Total,
                    order.Currency,
                    order.CreatedAt,
                    OrderStatus.Accepted
                )
            );
        }
    }
}
