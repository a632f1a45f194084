using Npgsql;
using NpgsqlTypes;
using QueueWorkers.GroupCommit;

namespace QueueWorkers.FlowControl.RateLimits;

/// <summary>
/// Takes permits out of the buckets in PostgreSQL, which all replicas share: whatever is asked for at the same moment,
/// for however many limits and keys, in one transaction of two round trips.
/// A process that dies with permits in hand has wasted them: a little less is done in that moment, never more.
/// </summary>
internal sealed class PermitLeases(NpgsqlDataSource database) : GroupCommitter<PermitRequest, Permits>
{
    // Locks the rows in the order of their names, in every process. The clock is read row by row, after the wait for
    // its lock: "now()" would be from before it.
    private const string Lock = """
        insert into rate_buckets (name, next_slot, return_at) select name, '-infinity', '-infinity'
            from unnest($1::text[]) as t(name) order by name
        on conflict (name) do update set name = excluded.name returning name, next_slot, return_at, clock_timestamp()
        """;

    private const string Save = """
        update rate_buckets b set next_slot = t.next_slot, return_at = t.return_at
        from unnest($1::text[], $2::timestamptz[], $3::timestamptz[]) as t(name, next_slot, return_at)
            where b.name = t.name
        """;

    // Keys come and go; a bucket whose moments have all passed says nothing any more.
    private const string Forget = """
        delete from rate_buckets where name in (
            select name from rate_buckets where next_slot < now() - interval '1 hour' and return_at < now()
                order by next_slot limit 500 for update skip locked)
        """;

    /// <summary>Removes buckets that nobody needs.</summary>
    public async Task ForgetAsync(CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Forget);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <inheritdoc />
    protected override bool IsUnitFault(Exception exception) => false;

    /// <inheritdoc />
    protected override async Task<Permits[]> WriteAsync(IReadOnlyList<PermitRequest> units)
    {
        var names = units.Select(u => u.Bucket).Distinct().ToArray();
        await using var connection = await database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        var buckets = await LockAsync(connection, names);
        var results = new Permits[units.Count];
        for (var i = 0; i < results.Length; i++)
        {
            var (bucket, now) = buckets[units[i].Bucket];
            (bucket, results[i]) = Permits.Take(bucket, units[i], now);
            buckets[units[i].Bucket] = (bucket, now);
        }

        await using var save = new NpgsqlCommand(Save, connection);
        save.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = names });
        save.Parameters.Add(Times([.. names.Select(n => buckets[n].Bucket!.NextSlot)]));
        save.Parameters.Add(Times([.. names.Select(n => buckets[n].Bucket!.ReturnAt)]));
        await save.ExecuteNonQueryAsync();
        await transaction.CommitAsync();
        return results;
    }

    private static async Task<Dictionary<string, (RateBucket? Bucket, DateTimeOffset Now)>> LockAsync(
        NpgsqlConnection connection,
        string[] names
    )
    {
        await using var command = new NpgsqlCommand(Lock, connection);
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = names });
        var buckets = new Dictionary<string, (RateBucket?, DateTimeOffset)>();
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
        {
            // "-infinity", a bucket that is new, arrives as the smallest time there is.
            buckets[reader.GetString(0)] = (
                new RateBucket
                {
                    Name = reader.GetString(0),
                    NextSlot = reader.GetFieldValue<DateTimeOffset>(1),
                    ReturnAt = reader.GetFieldValue<DateTimeOffset>(2),
                },
                reader.GetFieldValue<DateTimeOffset>(3)
            );
        }

        return buckets;
    }

    private static NpgsqlParameter<DateTimeOffset[]> Times(DateTimeOffset[] times) =>
        new() { TypedValue = times, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.TimestampTz };
}
