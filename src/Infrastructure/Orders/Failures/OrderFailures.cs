using Npgsql;
using QueueWorkers.DeadLetters;

namespace Orders.Infrastructure.Failures;

/// <summary>What failures mean in orders: their numbers, and what a group of failures holds up.</summary>
public sealed class OrderFailures(NpgsqlDataSource database)
{
    private const int Hours = 24;

    private const int MostValued = 10_000;

    // The orders one by one, by their key: joined otherwise, the planner reads all orders there are (measured: a group
    // of 25,000 and a million orders, 0.7 s).
    private static readonly string Worth = $"""
        with newest as materialized (select f.subject_id from failures f where f.fingerprint = $1 and f.state = $2 order by f.id desc limit {MostValued
            + 1})
        select o.currency, count(*), sum(o.total), (select count(*) from newest) > {MostValued}
        from (select distinct subject_id from newest) s
            cross join lateral (select currency, total from orders where id = s.subject_id offset 0) o
            group by o.currency order by count(*) desc
        """;

    private const string Trend = """
        select (extract(epoch from date_trunc('hour', now()) - date_trunc('hour', f.last_at)) / 3600)::int, count(*)
            from failures f
        where f.fingerprint = $1 and f.state = $2 and f.last_at > date_trunc('hour', now()) - $3 group by 1
        """;

    // A delivery to a web hook is shown by the order that it is about.
    private const string Numbers = """
        select id, number from orders where id = any($1)
        union all
        select d.id, o.number from webhook_deliveries d join orders o on o.id = d.order_id where d.id = any($1)
        """;

    /// <summary>The numbers of orders, by their ids or by those of deliveries about them.</summary>
    /// <exception cref="NpgsqlException">The database cannot be read.</exception>
    public async Task<IReadOnlyDictionary<Guid, string>> NumbersAsync(
        IReadOnlyCollection<Guid> orders,
        CancellationToken cancellationToken
    )
    {
        var numbers = new Dictionary<Guid, string>();
        if (orders.Count == 0)
            return numbers;
        await using var command = database.CreateCommand(Numbers);
        command.Parameters.Add(new() { Value = orders.ToArray() });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            numbers[reader.GetGuid(0)] = OrderNumber.Format(reader.GetInt64(1));
        return numbers;
    }

    /// <summary>What the failures of a group hold up, by the newest 10,000 of them, and since when.</summary>
    /// <param name="group">The group's fingerprint.</param>
    /// <param name="state">Only failures in this state.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    /// <exception cref="NpgsqlException">The database cannot be read.</exception>
    public async Task<GroupWorth> WorthAsync(string group, FailureState state, CancellationToken cancellationToken)
    {
        await using var batch = database.CreateBatch();
        batch.BatchCommands.Add(
            new NpgsqlBatchCommand(Worth)
            {
                Parameters =
                {
                    new() { Value = group },
                    new() { Value = (short)state },
                },
            }
        );
        batch.BatchCommands.Add(
            new NpgsqlBatchCommand(Trend)
            {
                Parameters =
                {
                    new() { Value = group },
                    new() { Value = (short)state },
                    new() { Value = TimeSpan.FromHours(Hours - 1) },
                },
            }
        );
        var (sums, orders, more, trend) = (new List<(string, decimal)>(), 0L, false, new long[Hours]);
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            orders += reader.GetInt64(1);
            sums.Add((reader.GetString(0), reader.GetDecimal(2)));
            more = reader.GetBoolean(3);
        }

        await reader.NextResultAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            if (reader.GetInt32(0) is >= 0 and < Hours and var ago)
                trend[Hours - 1 - ago] = reader.GetInt64(1);
        }

        return new GroupWorth(orders, sums, more, trend);
    }
}

/// <summary>What a group of failures holds up.</summary>
/// <param name="Orders">How many orders.</param>
/// <param name="Sums">What they are worth, by currency.</param>
/// <param name="IsMore">Whether it is more than that: the group has more failures than were looked at.</param>
/// <param name="Trend">How many were dead-lettered in each of the last 24 hours, the present one last.</param>
public sealed record GroupWorth(
    long Orders,
    IReadOnlyList<(string Currency, decimal Total)> Sums,
    bool IsMore,
    IReadOnlyList<long> Trend
);
