using Npgsql;
using QueueWorkers.GroupCommit;

namespace Orders.Infrastructure.Invoices;

/// <summary>
/// Issues the credit notes that take back invoices of cancelled orders: numbers without gaps, of a series of their own,
/// in one short transaction as <see cref="InvoiceNumbers"/> do.
/// An order without an invoice gets none. A crash before the commit gives the number back; one after it leaves the
/// credit note to be found by the next run.
/// </summary>
public sealed class CreditNoteNumbers(NpgsqlDataSource database, InvoiceNumbering numbering)
    : GroupCommitter<InvoiceNumbers.NumberRequest, IssuedCreditNote?>
{
    private const string Lock = "select from invoice_counter where series = 'credit-note' for update";

    private static readonly string Issue = $"""
        with {InvoiceRows.Counter},
        numbered as (
            select i.order_id, c.last + row_number() over (order by i.number) as number from invoices i, counter c
            where i.order_id = any($1) and not exists (select from credit_notes n where n.order_id = i.order_id)),
        issued as (
            insert into credit_notes (order_id, number, printed_number, issued_on)
            select order_id, number, {InvoiceRows.PrintedNumber}, {InvoiceRows.IssuedOn} from numbered
            returning {Note}),
        counted as ({InvoiceRows.Count}),
        notes as (
            select * from issued union all select {Note} from credit_notes where order_id = any($1))
        select n.note, n.note_printed, n.note_at, n.note_on, {InvoiceRows.Invoice}, sha256 is not null
            from notes n join invoices on order_id = n.note_order
        """;

    private const string Note =
        "order_id as note_order, number as note, printed_number as note_printed, issued_at as note_at, issued_on as note_on";

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
        batch.BatchCommands.Add(
            new(Issue)
            {
                Parameters =
                {
                    new NpgsqlParameter<Guid[]> { TypedValue = orders },
                    new NpgsqlParameter<string> { TypedValue = "credit-note" },
                    new NpgsqlParameter<long> { TypedValue = numbering.FirstCreditNote },
                    new NpgsqlParameter<string> { TypedValue = numbering.CreditNotePrefix },
                    new NpgsqlParameter<string> { TypedValue = numbering.TimeZone },
                },
            }
        );
        Failpoint.Hit("invoice.before_number_credit_note", Outside.Database);
        await using var reader = await batch.ExecuteReaderAsync();
        await reader.NextResultAsync();
        while (await reader.ReadAsync())
        {
            var number = reader.GetInt64(0);
            var note = new IssuedCreditNote(
                number,
                OrderNumber.CreditNote(InvoiceRows.PrintedFrom(reader, 1), number),
                reader.GetFieldValue<DateTimeOffset>(2),
                InvoiceRows.DayFrom(reader, 3),
                InvoiceRows.InvoiceFrom(reader, 4)
            );
            issued.Add(note.Invoice.OrderId, note);
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
/// <param name="Number">The running number.</param>
/// <param name="PrintedNumber">The number as it is printed.</param>
/// <param name="IssuedAt">When it was issued.</param>
/// <param name="IssuedOn">The day on which it was issued; printed on the document.</param>
/// <param name="Invoice">The invoice that it takes back.</param>
public sealed record IssuedCreditNote(
    long Number,
    string PrintedNumber,
    DateTimeOffset IssuedAt,
    DateOnly IssuedOn,
    IssuedInvoice Invoice
);
