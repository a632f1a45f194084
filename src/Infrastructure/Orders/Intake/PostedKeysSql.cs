using Npgsql;
using NpgsqlTypes;
using QueueWorkers.GroupCommit;

namespace Orders.Infrastructure.Intake;

/// <summary>The statements on Idempotency-Keys: any number of keys in one round trip.</summary>
internal static class PostedKeysSql
{
    // The wait for a twin on another node is short: it ends with that node's commit, or with this statement's
    // lock_timeout. A node that is frozen in mid-commit keeps its keys for as long as PostgreSQL lets a transaction be
    // idle (30 s), and meanwhile everybody else's orders would wait behind it.
    private const string TakeKeys = """
        insert into posted_keys (client_id, key, body_hash, order_id)
        select t.* from unnest($1::text[], $2::text[], $3::bytea[], $4::uuid[]) as t(client_id, key, body_hash,
            order_id) order by 1, 2
        on conflict do nothing returning order_id
        """;

    private const string FindKeys = """
        select k.client_id, k.key, k.body_hash, o.id, o.number, o.total, o.currency, o.created_at, p.status
        from unnest($1::text[], $2::text[]) as t(client_id, key)
        join posted_keys k using (client_id, key) join orders o on o.id = k.order_id
            join order_progress p on p.order_id = o.id
        """;

    /// <summary>Takes the keys that nobody has used.</summary>
    /// <param name="connection">With the transaction that makes the orders.</param>
    /// <param name="uses">The keys.</param>
    /// <param name="waitsBriefly">Whether these are a part of a batch that waited in vain for a lock.</param>
    /// <returns>The orders whose keys were taken; the other keys stand for earlier orders.</returns>
    public static async Task<HashSet<Guid>> TakeAsync(
        NpgsqlConnection connection,
        IReadOnlyList<KeyUse> uses,
        bool waitsBriefly
    )
    {
        var command = new NpgsqlBatchCommand(TakeKeys);
        command.Parameters.AddColumn(NpgsqlDbType.Text, uses, u => u.ClientId);
        command.Parameters.AddColumn(NpgsqlDbType.Text, uses, u => u.Key);
        command.Parameters.AddColumn(NpgsqlDbType.Bytea, uses, u => u.BodyHash);
        command.Parameters.AddColumn(NpgsqlDbType.Uuid, uses, u => u.OrderId);

        var taken = new HashSet<Guid>(uses.Count);
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands = { waitsBriefly ? LockWait.Briefly() : LockWait.Shortly(), command, LockWait.AsUsual() },
        };
        Failpoint.Hit("api.before_take_keys", Outside.Database);
        await using var reader = await batch.ExecuteReaderAsync();
        await reader.NextResultAsync();
        while (await reader.ReadAsync())
            taken.Add(reader.GetGuid(0));
        return taken;
    }

    /// <summary>Finds what used keys stand for.</summary>
    /// <returns>The answer to each use, by the order that it would have made.</returns>
    public static async Task<Dictionary<Guid, IntakeResult>> FindAsync(
        NpgsqlConnection connection,
        IReadOnlyList<KeyUse> uses
    )
    {
        var answers = new Dictionary<Guid, IntakeResult>(uses.Count);
        if (uses.Count == 0)
            return answers;

        await using var command = new NpgsqlCommand(FindKeys, connection);
        command.Parameters.AddColumn(NpgsqlDbType.Text, uses, u => u.ClientId);
        command.Parameters.AddColumn(NpgsqlDbType.Text, uses, u => u.Key);
        var known = new Dictionary<(string, string), (byte[] Hash, StoredOrder Order)>();
        Failpoint.Hit("api.before_find_keys", Outside.Database);
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
        {
            known[(reader.GetString(0), reader.GetString(1))] = (
                reader.GetFieldValue<byte[]>(2),
                new StoredOrder(
                    reader.GetGuid(3),
                    reader.GetInt64(4),
                    reader.GetDecimal(5),
                    reader.GetString(6),
                    reader.GetFieldValue<DateTimeOffset>(7),
                    (OrderStatus)reader.GetInt16(8)
                )
            );
        }

        foreach (var use in uses)
        {
            if (known.TryGetValue((use.ClientId, use.Key), out var posted))
                answers[use.OrderId] = use.IsOf(posted.Hash)
                    ? new IntakeResult(IntakeOutcome.Replayed, posted.Order)
                    : new IntakeResult(IntakeOutcome.KeyUsedForAnotherBody, null);
        }

        return answers;
    }

    /// <summary>
    /// Looks keys up and leaves everything as it was. Each key is taken and given back: taking it waits for a post that
    /// another process commits at this moment, which a read would not see.
    /// </summary>
    /// <returns>What each key stands for; null when nobody has used it.</returns>
    public static async Task<IntakeResult?[]> RecallAsync(
        NpgsqlDataSource database,
        IReadOnlyList<KeyUse> uses,
        bool waitsBriefly
    )
    {
        Failpoint.Hit("api.before_recall", Outside.Database);
        await using var connection = await database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        HashSet<Guid> unused;
        try
        {
            unused = await TakeAsync(connection, uses, waitsBriefly);
        }
        catch (PostgresException held) when (uses.Count == 1 && DatabaseFault.IsLockTimeout(held))
        {
            return [new IntakeResult(IntakeOutcome.KeyInFlight, null)];
        }

        var known = await FindAsync(connection, [.. uses.Where(u => !unused.Contains(u.OrderId))]);
        await transaction.RollbackAsync();
        return [.. uses.Select(u => known.GetValueOrDefault(u.OrderId))];
    }
}
