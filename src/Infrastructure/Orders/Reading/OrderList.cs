using System.Data;
using Npgsql;
using NpgsqlTypes;
using QueueWorkers.Data;
using QueueWorkers.Outbox.Ids;

namespace Orders.Infrastructure.Reading;

/// <summary>Which orders to list.</summary>
/// <param name="ClientId">Whose.</param>
/// <param name="Status">Only those in this status; null for all.</param>
/// <param name="From">Accepted at this moment or later; null for no bound.</param>
/// <param name="To">Accepted before this moment; null for no bound.</param>
/// <param name="After">Only orders older than this one (the last of the page before); null for the first page.</param>
/// <param name="Limit">The most orders to return.</param>
public sealed record OrderListQuery(
    string ClientId,
    OrderStatus? Status,
    DateTimeOffset? From,
    DateTimeOffset? To,
    Guid? After,
    int Limit
);

/// <summary>An order as a list shows it.</summary>
/// <param name="Id">The order.</param>
/// <param name="Number">Its running number.</param>
/// <param name="Status">Where it stands.</param>
/// <param name="Premium">Whether it goes first.</param>
/// <param name="Total">Sum of its lines.</param>
/// <param name="Currency">Its currency.</param>
/// <param name="CreatedAt">When it was accepted.</param>
/// <param name="CompletedAt">When its last step was done; null before.</param>
public sealed record ListedOrder(
    Guid Id,
    long Number,
    OrderStatus Status,
    bool Premium,
    decimal Total,
    string Currency,
    DateTimeOffset CreatedAt,
    DateTimeOffset? CompletedAt
);

/// <summary>
/// Lists a client's orders, the newest first: by key, never by offset, so that page 1,000 costs what page 1 costs.
/// </summary>
public sealed class OrderListReader(NpgsqlDataSource database)
{
    // An order's id carries its time in milliseconds; it is made a moment before the order's own timestamp is taken.
    // Bounds on the id keep the walk short, the exact bounds on the timestamp decide.
    private const long IdSlackMilliseconds = 1000;

    /// <summary>Reads a page.</summary>
    /// <exception cref="NpgsqlException">The database cannot be read.</exception>
    public async Task<IReadOnlyList<ListedOrder>> ReadAsync(OrderListQuery query, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand();
        var p = command.Parameters;
        p.Add(new NpgsqlParameter<string> { TypedValue = query.ClientId });
        p.Add(new NpgsqlParameter<int> { TypedValue = query.Limit });
        var conditions = "";
        if (query.After is { } after)
            conditions += $" and o.id < {Add(p, after)}";
        if (query.From is { } from)
            conditions +=
                $" and o.id >= {Add(p, TimedId.FirstAt(from.ToUnixTimeMilliseconds() - IdSlackMilliseconds))} and o.created_at >= {Add(p, from)}";
        if (query.To is { } to)
            conditions +=
                $" and o.id < {Add(p, TimedId.FirstAt(to.ToUnixTimeMilliseconds() + IdSlackMilliseconds))} and o.created_at < {Add(p, to)}";
        if (query.Status is { } status)
            conditions += $" and p.status = {(short)status}{PartialIndexCondition(status)}";

        command.CommandText = $"""
            select o.id, o.number, p.status, o.premium, o.total, o.currency, o.created_at, p.completed_at
            from orders o join order_progress p on p.order_id = o.id
            where o.client_id = $1{conditions} order by o.id desc limit $2
            """;
        Failpoint.Hit("api.before_list", Outside.Database);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var orders = new List<ListedOrder>();
        while (await reader.ReadAsync(cancellationToken))
        {
            orders.Add(
                new ListedOrder(
                    reader.GetGuid("id"),
                    reader.GetInt64("number"),
                    (OrderStatus)reader.GetInt16("status"),
                    reader.GetBoolean("premium"),
                    reader.GetDecimal("total"),
                    reader.GetString("currency"),
                    reader.GetFieldValue<DateTimeOffset>("created_at"),
                    reader.Optional<DateTimeOffset>("completed_at")
                )
            );
        }

        return orders;
    }

    // Says what the status implies, so that the planner may use the index order_progress_unusual.
    private static string PartialIndexCondition(OrderStatus status) =>
        status switch
        {
            OrderStatus.NeedsAttention => " and p.failed <> 0",
            OrderStatus.Rejected => " and p.rejected_at is not null",
            OrderStatus.Cancelled => " and p.cancelled_at is not null",
            _ => "",
        };

    private static string Add(NpgsqlParameterCollection parameters, Guid id) =>
        Added(parameters, new NpgsqlParameter<Guid> { TypedValue = id });

    private static string Add(NpgsqlParameterCollection parameters, DateTimeOffset time) =>
        Added(
            parameters,
            new NpgsqlParameter<DateTimeOffset>
            {
                TypedValue = time.ToUniversalTime(),
                NpgsqlDbType = NpgsqlDbType.TimestampTz,
            }
        );

    private static string Added(NpgsqlParameterCollection parameters, NpgsqlParameter parameter)
    {
        parameters.Add(parameter);
        return $"${parameters.Count}";
    }
}
