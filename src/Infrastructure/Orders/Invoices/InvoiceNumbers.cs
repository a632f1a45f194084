using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using QueueWorkers.GroupCommit;
using QueueWorkers.Steps;
using QueueWorkers.Steps.Faults;

namespace Orders.Infrastructure.Invoices;

/// <summary>
/// Issues invoice numbers without gaps, each together with the snapshot of its order, in one short transaction that
/// many orders share.
/// 1. The counter row is locked. From here to the commit nobody else issues a number, so no client may be waited for in
///    between: it is one batch, one round trip.
/// 2. Orders that have no invoice get the next numbers, in the order of their own numbers. The statement looks with a
///    snapshot taken under the lock:
///    it sees every invoice there is, so a number is never taken for an order that has one and never burnt by a
///    conflict.
/// 3. The counter advances by as many numbers as were written. While it is 0, it begins at the configured number.
/// A crash before the commit gives the numbers back; a crash after it leaves the invoice to be found by the next run on
/// the same message.
/// </summary>
public sealed class InvoiceNumbers(NpgsqlDataSource database, Seller seller, InvoiceNumbering numbering)
    : GroupCommitter<InvoiceNumbers.NumberRequest, IssuedInvoice?>
{
    /// <summary>What a step's database role needs for it.</summary>
    public static IReadOnlyList<string> Grants { get; } =
    [
        "SELECT ON orders, order_lines",
        "SELECT, UPDATE ON invoice_counter",
        "SELECT, INSERT, UPDATE ON invoices, credit_notes",
    ];

    private const string Lock = "select from invoice_counter where series = 'invoice' for update";

    private static readonly string Issue = $"""
        with {InvoiceRows.Counter},
        numbered as (
            select o.id, c.last + row_number() over (order by o.number) as number, jsonb_build_object(
                'orderNumber', o.number, 'orderedAt', o.created_at,
                'orderedOn', (o.created_at at time zone $5)::date, 'locale', o.locale, 'seller', $6::jsonb,
                'customerName', o.customer_name, 'currency', o.currency, 'total', o.total,
                'address', jsonb_build_object('line1', o.ship_line1, 'city', o.ship_city, 'postalCode',
                    o.ship_postal_code, 'country', o.ship_country),
                'lines', (select jsonb_agg(jsonb_build_object('sku', l.sku, 'name', l.name, 'quantity', l.quantity,
                    'unitPrice', l.unit_price, 'total', l.total, 'vatRate', l.vat_rate) order by l.line)
                          from order_lines l where l.order_id = o.id)) as snapshot
            from orders o, counter c
            where o.id = any($1)
                and not exists (select from invoices i where i.order_id = o.id)
                and exists (select from order_lines l where l.order_id = o.id)
                and not exists (select from order_progress p where p.order_id = o.id and p.cancelled_at is not null)),
        issued as (
            insert into invoices (order_id, number, printed_number, issued_on, snapshot)
            select id, number, {InvoiceRows.PrintedNumber}, {InvoiceRows.IssuedOn}, snapshot from numbered
            returning {InvoiceRows.Invoice}, false),
        counted as ({InvoiceRows.Count})
        select * from issued
        union all
        select {InvoiceRows.Invoice}, sha256 is not null from invoices where order_id = any($1)
        """;

    private const string IsCancelled = "select cancelled_at is not null from order_progress where order_id = $1";

    private readonly string _seller = JsonSerializer.Serialize(seller, InvoiceJson.Default.Seller);

    /// <summary>
    /// Issues the order's invoice, or finds the one that an earlier run issued. A number is not issued for a cancelled
    /// order, but one that was issued is found.
    /// </summary>
    /// <exception cref="PermanentFaultException">There is no such order.</exception>
    /// <exception cref="SubjectCancelledException">The order was cancelled before it had a number.</exception>
    public async Task<IssuedInvoice> IssueAsync(Guid orderId) =>
        await CommitAsync(new NumberRequest(orderId)) ?? throw await WhyNotAsync(orderId);

    private async Task<Exception> WhyNotAsync(Guid orderId)
    {
        await using var command = database.CreateCommand(IsCancelled);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = orderId });
        return await command.ExecuteScalarAsync() is true
            ? new SubjectCancelledException(orderId)
            : new PermanentFaultException(
                $"Expected order {orderId} with its lines in the database, found none. Was the database restored from an older backup? Then discard the message."
            );
    }

    /// <inheritdoc />
    protected override async Task<IssuedInvoice?[]> WriteAsync(IReadOnlyList<NumberRequest> units)
    {
        var orders = units.Select(u => u.OrderId).Distinct().ToArray();
        var issued = new Dictionary<Guid, IssuedInvoice>(orders.Length);

        // One batch is one transaction: no begin and no commit to wait for.
        await using var batch = database.CreateBatch();
        batch.BatchCommands.Add(new(Lock));
        batch.BatchCommands.Add(
            new(Issue)
            {
                Parameters =
                {
                    new NpgsqlParameter<Guid[]> { TypedValue = orders },
                    new NpgsqlParameter<string> { TypedValue = "invoice" },
                    new NpgsqlParameter<long> { TypedValue = numbering.FirstNumber },
                    new NpgsqlParameter<string> { TypedValue = numbering.Prefix },
                    new NpgsqlParameter<string> { TypedValue = numbering.TimeZone },
                    new NpgsqlParameter { Value = _seller, NpgsqlDbType = NpgsqlDbType.Jsonb },
                },
            }
        );
        Failpoint.Hit("invoice.before_number", Outside.Database);
        await using var reader = await batch.ExecuteReaderAsync();
        await reader.NextResultAsync();
        while (await reader.ReadAsync())
        {
            var invoice = InvoiceRows.InvoiceFrom(reader, 0);
            issued.Add(invoice.OrderId, invoice);
        }

        // The end of the batch is its commit: an error there must reach the callers, and nobody may use a number
        // before.
        await reader.CloseAsync();
        Failpoint.Hit("invoice.after_number", Outside.Database);
        return [.. units.Select(u => issued.GetValueOrDefault(u.OrderId))];
    }

    /// <inheritdoc />
    /// <remarks>
    /// Not a lock that somebody holds: all units want the same counter, and each half would wait for it again.
    /// </remarks>
    protected override bool IsUnitFault(Exception exception) =>
        DatabaseFault.IsUnitFault(exception) && !DatabaseFault.IsLockTimeout(exception);

    /// <summary>An order that wants its invoice number.</summary>
    /// <param name="OrderId">The order.</param>
    public sealed record NumberRequest(Guid OrderId);
}
