using Npgsql;

namespace Orders.Infrastructure.Reading;

/// <summary>An order's invoice, or the credit note that took it back, as a file.</summary>
/// <param name="Number">Its number, as it is printed.</param>
/// <param name="Pdf">The document; null until it was rendered.</param>
/// <param name="Sha256">Its SHA-256; null until it was rendered.</param>
public sealed record StoredInvoice(string Number, byte[]? Pdf, byte[]? Sha256);

/// <summary>Reads invoices' documents.</summary>
public sealed class InvoiceDocumentReader(NpgsqlDataSource database)
{
    internal const string Invoice =
        "select i.number, i.pdf, i.sha256, i.printed_number from orders o left join invoices i on i.order_id = o.id where o.id = $1 and o.client_id = $2";

    internal const string CreditNote =
        "select n.number, n.pdf, n.sha256, n.printed_number from orders o left join credit_notes n on n.order_id = o.id where o.id = $1 and o.client_id = $2";

    /// <summary>Reads an order's invoice.</summary>
    /// <returns>Whether the order exists and is the client's, and its invoice once the number is issued.</returns>
    /// <exception cref="NpgsqlException">The database cannot be read.</exception>
    public Task<(bool OrderFound, StoredInvoice? Invoice)> FindAsync(
        Guid orderId,
        string clientId,
        CancellationToken cancellationToken
    ) => FindAsync(Invoice, OrderNumber.Invoice, orderId, clientId, cancellationToken);

    /// <summary>Reads the credit note of an order's invoice.</summary>
    /// <returns>Whether the order exists and is the client's, and the credit note once its number is issued.</returns>
    /// <exception cref="NpgsqlException">The database cannot be read.</exception>
    public Task<(bool OrderFound, StoredInvoice? Invoice)> FindCreditNoteAsync(
        Guid orderId,
        string clientId,
        CancellationToken cancellationToken
    ) => FindAsync(CreditNote, OrderNumber.CreditNote, orderId, clientId, cancellationToken);

    private async Task<(bool OrderFound, StoredInvoice? Invoice)> FindAsync(
        string sql,
        Func<string?, long, string> printed,
        Guid orderId,
        string clientId,
        CancellationToken cancellationToken
    )
    {
        await using var command = database.CreateCommand(sql);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = orderId });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = clientId });
        Failpoint.Hit("api.before_read_invoice", Outside.Database);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        if (!await reader.ReadAsync(cancellationToken))
            return (false, null);
        if (reader.Optional<long>(0) is not { } number)
            return (true, null);
        return (
            true,
            new StoredInvoice(
                printed(reader.IsDBNull(3) ? null : reader.GetString(3), number),
                reader.IsDBNull(1) ? null : reader.GetFieldValue<byte[]>(1),
                reader.IsDBNull(2) ? null : reader.GetFieldValue<byte[]>(2)
            )
        );
    }
}
