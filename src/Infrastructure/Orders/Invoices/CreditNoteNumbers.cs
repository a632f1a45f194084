using System.Text.Json;
using Npgsql;
using QueueWorkers.GroupCommit;

namespace Orders.Infrastructure.Invoices;

/// <summary>
/// Issues the credit notes that take back invoices of cancelled orders: numbers without gaps, of a series of their own,
/// in one short transaction as <see cref="InvoiceNumbers"/> do.
/// An order without an invoice gets none. A crash before the commit gives the number back; one after it leaves the
/// credit note to be found by the next run.
/// </summary>
public sealed class CreditNoteNumbers(NpgsqlDataSource database)
    : GroupCommitter<InvoiceNumbers.NumberRequest, IssuedCreditNote?>
{
    private const string Lock = "select from invoice_counter where series = 'credit-note' for update";

    private const string Issue = """
        with issued as (
            insert into credit_notes (order_id, number)
            select i.order_id, c.last + row_number() over (order by i.number)
            from invoices i, invoice_counter c
            where i.order_id = any($1) and c.series = 'credit-note'
                and not exists (select from credit_notes n where n.order_id = i.order_id)
            returning order_id, number, issued_at),
        counted as (
            update invoice_counter set last = last + (select count(*) from issued)
                where series = 'credit-note' and exists (select from issued)),
        notes as (
            select order_id, number, issued_at from issued union all select order_id, number, issued_at
                from credit_notes where order_id = any($1))
        select n.order_id, n.number, n.issued_at, i.number, i.snapshot, i.issued_at, i.sha256 is not null from notes n
            join invoices i on i.order_id = n.order_id
        """;

    /// <summary>Issues the credit note of an order's invoice, or finds the one that an earlier run issued.</summary>
    /// <returns>Null when the order has no invoice.</returns>
    public Task<IssuedCreditNote?> IssueAsync(Guid orderId) => CommitAsync(new InvoiceNumbers.NumberRequest(orderId));

    /// <inheritdoc />
    protected override async Task<IssuedCreditNote?[]> WriteAsync(IReadOnlyList<InvoiceNumbers.NumberRequest> units)
    {
        var orders = units.Select(u => u.OrderId).Distinct().ToArray();
        var issued = new Dictionary<Guid, IssuedCreditNote>(orders.Length);
        await using var batch = database.CreateBatch();
        batch.BatchCommands.Add(new(Lock));
        batch.BatchCommands.Add(new(Issue) { Parameters = { new NpgsqlParameter<Guid[]> { TypedValue = orders } } });
        Failpoint.Hit("invoice.before_number_credit_note", Outside.Database);
        await using var reader = await batch.ExecuteReaderAsync();
        await reader.NextResultAsync();
        while (await reader.ReadAsync())
        {
            var snapshot = JsonSerializer.Deserialize(
                reader.GetFieldValue<byte[]>(4),
                InvoiceJson.Default.InvoiceSnapshot
            )!;
            var invoice = new IssuedInvoice(
                reader.GetGuid(0),
                reader.GetInt64(3),
                reader.GetFieldValue<DateTimeOffset>(5),
                snapshot,
                reader.GetBoolean(6)
            );
            issued.Add(
                invoice.OrderId,
                new IssuedCreditNote(reader.GetInt64(1), reader.GetFieldValue<DateTimeOffset>(2), invoice)
            );
        }

        // The end of the batch is its commit: an error there must reach the callers.
        await reader.CloseAsync();
        Failpoint.Hit("invoice.after_number_credit_note", Outside.Database);
        return [.. units.Select(u => issued.GetValueOrDefault(u.OrderId))];
    }

    /// <inheritdoc />
    /// <remarks>
    /// Not a lock that somebody holds: all units want the same counter, and each half would wait for it again.
    /// </remarks>
    protected override bool IsUnitFault(Exception exception) =>
        DatabaseFault.IsUnitFault(exception) && !DatabaseFault.IsLockTimeout(exception);
}

/// <summary>A credit note that has its number.</summary>
/// <param name="Number">The number; see <see cref="OrderNumber.FormatCreditNote"/>.</param>
/// <param name="IssuedAt">When it was issued; printed on the document.</param>
/// <param name="Invoice">The invoice that it takes back.</param>
public sealed record IssuedCreditNote(long Number, DateTimeOffset IssuedAt, IssuedInvoice Invoice);
