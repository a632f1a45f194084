using Npgsql;
using QueueWorkers.GroupCommit;
using QueueWorkers.Idempotency;
using QueueWorkers.Steps;

namespace Orders.Infrastructure.Reading;

/// <summary>
/// Reads orders for steps: messages carry only the order's id, so nobody can forge an amount or an address. Runs that
/// want theirs at the same moment share one round trip (mail and warehouse read each order once: one by one that was a
/// third of the statements of an order's whole way).
/// </summary>
public sealed class OrderSnapshotReader(NpgsqlDataSource database)
    : GroupCommitter<OrderSnapshotReader.SnapshotRequest, OrderSnapshotReader.FoundSnapshot?>
{
    /// <summary>What a step's database role needs to read orders this way.</summary>
    public const string Grants = "SELECT ON orders, order_lines";

    private static readonly string Heads = $"""
        select o.id, w.effect, o.number, o.customer_name, o.customer_email, o.currency, o.total, o.ship_line1,
            o.ship_city, o.ship_postal_code, o.ship_country,
               exists (select from effects e where e.subject_id = o.id and e.effect = w.effect
                   and e.state = {EffectState.Done:D}), p.cancelled_at is not null, o.locale
        from unnest($1::uuid[], $2::text[]) as w(id, effect) join orders o on o.id = w.id
            join order_progress p on p.order_id = o.id
        """;

    private const string Lines =
        "select order_id, sku, name, quantity, total from order_lines where order_id = any($1) order by order_id, line";

    /// <summary>Reads an order.</summary>
    /// <exception cref="PermanentFaultException">There is no such order.</exception>
    public async Task<OrderSnapshot> ReadAsync(Guid orderId, CancellationToken cancellationToken) =>
        (await FindAsync(orderId, null, cancellationToken)).Order;

    /// <summary>
    /// Reads an order, unless the effect that it is read for is done: a message redriven years later must not bother
    /// the outside world again.
    /// </summary>
    /// <returns>The order; null when the effect is done.</returns>
    /// <exception cref="PermanentFaultException">There is no such order.</exception>
    public async Task<OrderSnapshot?> ReadUnlessDoneAsync(
        Guid orderId,
        string effect,
        CancellationToken cancellationToken
    ) => await FindAsync(orderId, effect, cancellationToken) is { IsDone: false } found ? found.Order : null;

    private async Task<FoundSnapshot> FindAsync(Guid orderId, string? effect, CancellationToken cancellationToken)
    {
        var found =
            await CommitAsync(new SnapshotRequest(orderId, effect)).WaitAsync(cancellationToken)
            ?? throw new PermanentFaultException(
                $"Expected order {orderId} in the database, found none. Was the database restored from an older backup? Then discard the message."
            );
        PersonalText.Hide(found.Order.CustomerName, found.Order.ShipTo.Line1);
        return found;
    }

    /// <inheritdoc />
    protected override string SpanName => "read order";

    /// <inheritdoc />
    protected override async Task<FoundSnapshot?[]> WriteAsync(IReadOnlyList<SnapshotRequest> units)
    {
        SnapshotRequest[] wanted = [.. units.Distinct()];
        await using var batch = database.CreateBatch();
        batch.BatchCommands.Add(
            new(Heads)
            {
                Parameters =
                {
                    new NpgsqlParameter<Guid[]> { TypedValue = [.. wanted.Select(w => w.OrderId)] },
                    new NpgsqlParameter<string?[]> { TypedValue = [.. wanted.Select(w => w.Effect)] },
                },
            }
        );
        batch.BatchCommands.Add(
            new(Lines)
            {
                Parameters =
                {
                    new NpgsqlParameter<Guid[]> { TypedValue = [.. wanted.Select(w => w.OrderId).Distinct()] },
                },
            }
        );

        var found = new Dictionary<SnapshotRequest, FoundSnapshot>(wanted.Length);
        Failpoint.Hit("steps.before_read_order", Outside.Database);
        await using var reader = await batch.ExecuteReaderAsync();
        var lines = wanted.Select(w => w.OrderId).Distinct().ToDictionary(id => id, _ => new List<OrderSnapshotLine>());
        while (await reader.ReadAsync())
        {
            var id = reader.GetGuid(0);
            var order = new OrderSnapshot(
                id,
                reader.GetInt64(2),
                reader.GetString(3),
                reader.GetString(4),
                reader.GetString(5),
                reader.GetDecimal(6),
                new ShippingAddress(
                    reader.GetString(7),
                    reader.GetString(8),
                    reader.GetString(9),
                    reader.GetString(10)
                ),
                lines[id],
                reader.GetString(13),
                reader.GetBoolean(12)
            );
            found.Add(
                new SnapshotRequest(id, reader.IsDBNull(1) ? null : reader.GetString(1)),
                new FoundSnapshot(order, reader.GetBoolean(11))
            );
        }

        await reader.NextResultAsync();
        while (await reader.ReadAsync())
            lines[reader.GetGuid(0)]
                .Add(
                    new OrderSnapshotLine(
                        reader.GetString(1),
                        reader.GetString(2),
                        reader.GetInt32(3),
                        reader.GetDecimal(4)
                    )
                );
        return [.. units.Select(found.GetValueOrDefault)];
    }

    /// <inheritdoc />
    protected override bool IsUnitFault(Exception exception) => DatabaseFault.IsUnitFault(exception);

    /// <summary>An order that is wanted.</summary>
    /// <param name="OrderId">The order.</param>
    /// <param name="Effect">The effect that it is read for; null when that does not matter.</param>
    public sealed record SnapshotRequest(Guid OrderId, string? Effect);

    /// <summary>An order that was found.</summary>
    /// <param name="Order">The order.</param>
    /// <param name="IsDone">Whether the effect is done.</param>
    public sealed record FoundSnapshot(OrderSnapshot Order, bool IsDone);
}
