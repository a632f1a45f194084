using Npgsql;
using Orders.Infrastructure.Steps;

namespace Orders.Infrastructure.Orders.Reading;

/// <summary>Reads an order for a step: messages carry only the order's id, so nobody can forge an amount or an address. One round trip.</summary>
public sealed class OrderDetailsReader(NpgsqlDataSource database)
{
    /// <summary>What a step's database role needs to read orders this way.</summary>
    public const string Grants = "SELECT ON orders, order_lines";

    private const string Head = """
        select o.number, o.customer_name, o.customer_email, o.currency, o.total, o.ship_line1, o.ship_city, o.ship_postal_code, o.ship_country,
               exists (select from effects e where e.subject_id = o.id and e.effect = $2 and e.state = 2), p.cancelled_at is not null
        from orders o join order_progress p on p.order_id = o.id where o.id = $1
        """;

    private const string Lines = "select sku, name, quantity, total from order_lines where order_id = $1 order by line";

    /// <summary>Reads an order.</summary>
    /// <exception cref="PermanentFaultException">There is no such order.</exception>
    public async Task<OrderDetails> ReadAsync(Guid orderId, CancellationToken cancellationToken) =>
        (await ReadAsync(orderId, null, cancellationToken))!;

    /// <summary>Reads an order, unless the effect that it is read for is done: a message redriven years later must not bother the outside world again.</summary>
    /// <returns>The order; null when the effect is done.</returns>
    /// <exception cref="PermanentFaultException">There is no such order.</exception>
    public Task<OrderDetails?> ReadUnlessDoneAsync(Guid orderId, string effect, CancellationToken cancellationToken) => ReadAsync(orderId, effect, cancellationToken);

    private async Task<OrderDetails?> ReadAsync(Guid orderId, string? effect, CancellationToken cancellationToken)
    {
        await using var batch = database.CreateBatch();
        batch.BatchCommands.Add(new(Head) { Parameters = { new() { Value = orderId }, new NpgsqlParameter<string?> { TypedValue = effect } } });
        batch.BatchCommands.Add(new(Lines) { Parameters = { new() { Value = orderId } } });

        Failpoint.Hit("steps.before_read_order", Outside.Database);
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        if (!await reader.ReadAsync(cancellationToken))
            throw new PermanentFaultException($"Expected order {orderId} in the database, found none. Was the database restored from an older backup? Then discard the message.");
        if (reader.GetBoolean(9))
            return null;

        var lines = new List<OrderDetailsLine>();
        var order = new OrderDetails(
            orderId, reader.GetInt64(0), reader.GetString(1), reader.GetString(2), reader.GetString(3), reader.GetDecimal(4),
            new ShippingAddress(reader.GetString(5), reader.GetString(6), reader.GetString(7), reader.GetString(8)), lines, reader.GetBoolean(10));

        await reader.NextResultAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            lines.Add(new OrderDetailsLine(reader.GetString(0), reader.GetString(1), reader.GetInt32(2), reader.GetDecimal(3)));
        return order;
    }
}
