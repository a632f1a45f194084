using System.Data;
using System.Globalization;
using Npgsql;
using QueueWorkers.Clocks;
using QueueWorkers.Data;
using QueueWorkers.Outbox.Ids;

namespace Orders.Infrastructure.Reading;

/// <summary>Which orders an operator looks for, over all clients.</summary>
/// <param name="Status">Only those in this status; null for all.</param>
/// <param name="Step">Only those for which this step is not done; null for all.</param>
/// <param name="OlderThan">Only those accepted longer ago than this; null for all.</param>
/// <param name="Before">Only orders older than this one (the last of the page before); null for the first page.</param>
public sealed record OrderSearch(
    OrderStatus? Status = null,
    string? Step = null,
    TimeSpan? OlderThan = null,
    Guid? Before = null
);

/// <summary>An order as an operator's list shows it: nothing personal.</summary>
/// <param name="Id">The order.</param>
/// <param name="Number">Its running number.</param>
/// <param name="ClientId">Whose it is.</param>
/// <param name="Status">Where it stands.</param>
/// <param name="Premium">Whether it goes first.</param>
/// <param name="Total">Sum of its lines.</param>
/// <param name="Currency">Its currency.</param>
/// <param name="CreatedAt">When it was accepted.</param>
/// <param name="CompletedAt">When its last step was done.</param>
/// <param name="Open">The steps it still needs.</param>
/// <param name="Failed">The steps that are dead-lettered.</param>
public sealed record FoundOrder(
    Guid Id,
    long Number,
    string ClientId,
    OrderStatus Status,
    bool Premium,
    decimal Total,
    string Currency,
    DateTimeOffset CreatedAt,
    DateTimeOffset? CompletedAt,
    IReadOnlyList<string> Open,
    IReadOnlyList<string> Failed
);

/// <summary>A page of what was found.</summary>
/// <param name="Orders">The orders, the newest first.</param>
/// <param name="Next">Where the next page begins; null when nothing is left.</param>
/// <param name="GaveUpAfter">How many orders were looked through without filling the page; null when the page is full
/// or the orders came to an end.</param>
public sealed record OrderSearchPage(IReadOnlyList<FoundOrder> Orders, Guid? Next, int? GaveUpAfter);

/// <summary>
/// Finds orders for an operator. What is rare (needs attention, rejected, cancelled) has its index; anything else is
/// found by walking the orders from the newest, and the walk is bounded: a page says how far it looked, and the next
/// one goes on from there.
/// </summary>
public sealed class OrderSearchReader(NpgsqlDataSource database)
{
    private const int WalkedOrders = 50_000;

    private const string Columns = """
        o.id, o.number, o.client_id, p.status, o.premium, o.total, o.currency, o.created_at, p.completed_at,
        array(select c.step from step_catalogue c where c.bit & p.required <> 0 and c.bit & p.done = 0
            order by c.position) as open_steps,
        array(select c.step from step_catalogue c where c.bit & p.failed <> 0 order by c.position)
            as failed_steps
        """;

    /// <summary>Finds a page.</summary>
    /// <exception cref="NpgsqlException">The database cannot be read.</exception>
    public async Task<OrderSearchPage> ReadAsync(OrderSearch search, int limit, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand();
        var p = command.Parameters;
        string Parameter(NpgsqlParameter parameter)
        {
            p.Add(parameter);
            return $"${p.Count}";
        }

        var key = "true";
        if (search.Before is { } before)
            key += $" and ID < {Parameter(new NpgsqlParameter<Guid> { TypedValue = before })}";
        if (search.OlderThan is { } age)
            key +=
                $" and ID < {Parameter(new NpgsqlParameter<Guid> { TypedValue = TimedId.FirstAt((DatabaseClock.UtcNow - age).ToUnixTimeMilliseconds()) })}";
        var wanted = "true";
        if (search.Status is { } status)
            wanted += $" and p.status = {(short)status}";
        if (search.Step is { } step)
            wanted +=
                $" and exists (select from step_catalogue c where c.step = {Parameter(new NpgsqlParameter<string> { TypedValue = step })} and c.bit & p.required <> 0 and c.bit & p.done = 0)";

        var rare = search.Status switch
        {
            OrderStatus.NeedsAttention => "p.failed <> 0",
            OrderStatus.Rejected => "p.rejected_at is not null",
            OrderStatus.Cancelled => "p.cancelled_at is not null",
            _ => null,
        };
        var most = Parameter(new NpgsqlParameter<int> { TypedValue = limit + 1 });
        // "offset 0" keeps the planner from turning the walk round: it must go by key, from the newest, and stop as
        // soon as the page is full.
        command.CommandText = rare is not null
            ? $"""
                select {Columns} from (select * from order_progress p where {rare} and {wanted} and {key.Replace(
                    "ID",
                    "p.order_id",
                    StringComparison.Ordinal
                )} order by p.order_id desc limit {most}) p
                join orders o on o.id = p.order_id order by o.id desc
                """
            : $"""
                select {Columns} from (select * from orders o where {key.Replace(
                    "ID",
                    "o.id",
                    StringComparison.Ordinal
                )} order by o.id desc limit {WalkedOrders}) o
                cross join lateral (select * from order_progress p where p.order_id = o.id offset 0) p where {wanted}
                    order by o.id desc limit {most}
                """;
        var found = await ListAsync(command, cancellationToken);
        if (found.Count > limit)
            return new OrderSearchPage(found[..limit], found[limit - 1].Id, null);
        if (rare is not null || wanted == "true")
            return new OrderSearchPage(found, null, null);

        // The page is not full: either the orders came to an end, or the walk did.
        return await EndOfWalkAsync(search, cancellationToken) is { } end
            ? new OrderSearchPage(found, end, WalkedOrders)
            : new OrderSearchPage(found, null, null);
    }

    /// <summary>
    /// The order that a text names: its number (<c>O-00000042</c>, <c>42</c>) or its id; null when there is none.
    /// </summary>
    /// <exception cref="NpgsqlException">The database cannot be read.</exception>
    public async Task<Guid?> FindAsync(string text, CancellationToken cancellationToken)
    {
        var trimmed = text.Trim();
        await using var command = database.CreateCommand();
        if (Guid.TryParse(trimmed, out var id))
        {
            command.CommandText = "select id from orders where id = $1";
            command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = id });
        }
        else if (
            long.TryParse(
                trimmed.StartsWith("O-", StringComparison.OrdinalIgnoreCase) ? trimmed[2..] : trimmed,
                NumberStyles.None,
                CultureInfo.InvariantCulture,
                out var number
            )
        )
        {
            command.CommandText = "select id from orders where number = $1";
            command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = number });
        }
        else
        {
            return null;
        }

        return await command.ExecuteScalarAsync(cancellationToken) as Guid?;
    }

    private async Task<Guid?> EndOfWalkAsync(OrderSearch search, CancellationToken cancellationToken)
    {
        var bound = search.OlderThan is { } age
            ? TimedId.FirstAt((DatabaseClock.UtcNow - age).ToUnixTimeMilliseconds())
            : Guid.AllBitsSet;
        if (search.Before is { } before && bound > before)
            bound = before;
        await using var command = database.CreateCommand(
            "select id from orders where id < $1 order by id desc offset $2 limit 1"
        );
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = bound });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = WalkedOrders - 1 });
        return await command.ExecuteScalarAsync(cancellationToken) as Guid?;
    }

    private static async Task<List<FoundOrder>> ListAsync(NpgsqlCommand command, CancellationToken cancellationToken)
    {
        var orders = new List<FoundOrder>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            orders.Add(
                new FoundOrder(
                    reader.GetGuid("id"),
                    reader.GetInt64("number"),
                    reader.GetString("client_id"),
                    (OrderStatus)reader.GetInt16("status"),
                    reader.GetBoolean("premium"),
                    reader.GetDecimal("total"),
                    reader.GetString("currency"),
                    reader.GetFieldValue<DateTimeOffset>("created_at"),
                    reader.Optional<DateTimeOffset>("completed_at"),
                    reader.GetFieldValue<string[]>("open_steps"),
                    reader.GetFieldValue<string[]>("failed_steps")
                )
            );
        }

        return orders;
    }
}
