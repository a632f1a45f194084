using Npgsql;
using NpgsqlTypes;
using QueueWorkers.GroupCommit;

namespace QueueWorkers.Outbox.Relaying;

/// <summary>
/// What all relays know of the destinations that take nothing (<see cref="SlowDestinations"/>), as rows: of all
/// relays one makes the next trial, and each learns from the row's absence that the destination is back.
/// 1. A relay that finds a destination slow adds its row. Dying before leaves others to find out.
/// 2. A relay claims the next trial: the row's time is moved on, past the trial and the wait after it. Dying then costs
///    that wait.
/// 3. The relay whose trial got through deletes the row, and makes the rows that wait due, batch by batch. Dying in
///    between leaves the rest until they are due by themselves (<see cref="RowsWait"/>).
/// 4. A row whose trial nobody has made in time (<see cref="IsAbandoned"/>) belongs to relays that have died. Whoever
///    sees it, at a look for due rows, has it on its own list from then on. Several may: they make one trial, by 2.
/// </summary>
internal sealed class SharedTrials(NpgsqlDataSource database, TimeSpan confirmTimeout)
{
    /// <summary>
    /// For so long a row waits that was refused: longer than any wait for a trial, so that trials rewrite no rows but
    /// their own. Whoever finds the destination back makes the rows due.
    /// </summary>
    public static readonly TimeSpan RowsWait = TimeSpan.FromSeconds(20);

    // No trial is set further ahead: the longest wait and the longest confirm time-out make 34 s. What is further ahead
    // was set by a clock that was ahead, as after a failover.
    private const string FurthestAhead = "interval '1 minute'";

    /// <summary>
    /// Says in SQL that nobody has made a destination's trial. A relay that lives is at most about a confirm time-out
    /// late, which is less than a lease.
    /// </summary>
    public static readonly string IsAbandoned =
        $"(trial_at < clock_timestamp() - interval '{OutboxTable.Lease.TotalSeconds:0} seconds'"
        + $" or trial_at > clock_timestamp() + {FurthestAhead})";

    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(30);

    private static readonly string Abandoned =
        $"select exchange, routing_key, reason from slow_destinations where {IsAbandoned}";

    private const string Add = $"""
        insert into slow_destinations (exchange, routing_key, reason, wait, trial_at)
            values ($1, $2, $3, $4, clock_timestamp() + $4)
        on conflict (exchange, routing_key) do update set reason = excluded.reason
        returning least(trial_at - clock_timestamp(), {FurthestAhead})
        """;

    private const string Claim = $"""
        with claimed as (
            update slow_destinations set wait = least(wait * 2, $3),
                trial_at = clock_timestamp() + $4 + least(wait * 2, $3)
                where exchange = $1 and routing_key = $2
                    and (trial_at <= clock_timestamp() or trial_at > clock_timestamp() + {FurthestAhead})
                returning trial_at - clock_timestamp() as rest)
        select true, rest from claimed
        union all
        select false, trial_at - clock_timestamp() from slow_destinations
            where exchange = $1 and routing_key = $2 and not exists (select from claimed)
        """;

    private const string Remove = "delete from slow_destinations where exchange = $1 and routing_key = $2";

    // The first key of the turns.
    private const int ReleaseLock = 0x4F757452;

    /// <summary>Takes the turn to make a destination's rows due, until the transaction ends.</summary>
    internal static readonly string Turn =
        $"select pg_try_advisory_xact_lock({ReleaseLock}, hashtext($1 || ' ' || $2))";

    // In the order of their due times, from where the last batch ended: many rows share one. What was released is not
    // due later any more. It is due from this moment on, and not from the statement's start: other relays look for it
    // behind their low-water marks.
    // One relay at a time for a destination: all have the news at the same moment, and each would walk over the rows
    // that the others hold.
    private static readonly string Release = $"""
        with turn (mine) as materialized ({Turn}),
        waiting as (
            select id, due_at from outbox where (select mine from turn) and dead_at is null and due_at >= $3
                and due_at > now() and due_at <= now() + $4
                and exchange = $1 and routing_key = $2 and last_error is not null and attempts = 0
                order by due_at limit 1000 for update skip locked),
        released as (update outbox o set due_at = clock_timestamp() from waiting w where o.id = w.id)
        select (select mine from turn), (select count(*) from waiting), (select max(due_at) from waiting)
        """;

    /// <summary>Adds a destination, unless another relay has.</summary>
    /// <returns>How long until its next trial.</returns>
    public async Task<TimeSpan> AddAsync(
        Destination destination,
        string reason,
        TimeSpan wait,
        CancellationToken cancellationToken
    )
    {
        await using var command = Of(Add, destination);
        command.Parameters.Add(new() { Value = StorableText.Of(reason, 2000) });
        command.Parameters.Add(
            new NpgsqlParameter<TimeSpan> { TypedValue = wait, NpgsqlDbType = NpgsqlDbType.Interval }
        );
        return (TimeSpan)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    /// <summary>Asks for the next trial of a destination.</summary>
    /// <returns>Whether it is this relay's, and how long until the one after it, or until it; null when the destination
    /// is back.</returns>
    public async Task<(bool IsOurs, TimeSpan Left)?> ClaimAsync(
        Destination destination,
        CancellationToken cancellationToken
    )
    {
        await using var command = Of(Claim, destination);
        foreach (var time in (TimeSpan[])[LongestWait, confirmTimeout])
            command.Parameters.Add(
                new NpgsqlParameter<TimeSpan> { TypedValue = time, NpgsqlDbType = NpgsqlDbType.Interval }
            );
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken)
            ? (reader.GetBoolean(0), reader.GetFieldValue<TimeSpan>(1))
            : null;
    }

    /// <summary>The destinations that still take nothing.</summary>
    public static async Task<HashSet<Destination>> ReadAsync(
        NpgsqlConnection connection,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand("select exchange, routing_key from slow_destinations", connection);
        var slow = new HashSet<Destination>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            slow.Add(new Destination(reader.GetString(0), reader.GetString(1)));
        return slow;
    }

    /// <summary>Destinations whose trials nobody makes any more, and why they are on the list.</summary>
    public static async Task<List<(Destination Destination, string Reason)>> AbandonedAsync(
        NpgsqlConnection connection,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(Abandoned, connection);
        var abandoned = new List<(Destination, string)>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            abandoned.Add((new Destination(reader.GetString(0), reader.GetString(1)), reader.GetString(2)));
        return abandoned;
    }

    /// <summary>Says that a destination is back.</summary>
    public async Task RemoveAsync(Destination destination, CancellationToken cancellationToken)
    {
        await using var remove = Of(Remove, destination);
        await remove.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>
    /// Makes due what waits for a destination that is back: also what a relay put back that did not know of it yet.
    /// </summary>
    /// <returns>False when another relay is at it: what was committed a moment ago it may not have seen.</returns>
    public async Task<bool> ReleaseAsync(Destination destination, CancellationToken cancellationToken)
    {
        var from = DateTimeOffset.MinValue;
        while (true)
        {
            await using var release = Of(Release, destination);
            release.Parameters.Add(new NpgsqlParameter<DateTimeOffset> { TypedValue = from });
            release.Parameters.Add(
                new NpgsqlParameter<TimeSpan> { TypedValue = RowsWait, NpgsqlDbType = NpgsqlDbType.Interval }
            );
            await using var reader = await release.ExecuteReaderAsync(cancellationToken);
            await reader.ReadAsync(cancellationToken);
            if (!reader.GetBoolean(0))
                return false;
            if (reader.GetInt64(1) < 1000)
                return true;
            from = reader.GetFieldValue<DateTimeOffset>(2);
        }
    }

    private NpgsqlCommand Of(string sql, Destination destination)
    {
        var command = database.CreateCommand(sql);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = destination.Exchange });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = destination.RoutingKey });
        return command;
    }
}
