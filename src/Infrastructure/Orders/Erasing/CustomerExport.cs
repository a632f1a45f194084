using System.Data;
using System.Text.Json;
using Npgsql;
using QueueWorkers.Idempotency;
using QueueWorkers.Steps;

namespace Orders.Infrastructure.Erasing;

/// <summary>
/// All that there is about one customer, as JSON: written order by order, so that a customer of a hundred thousand
/// orders costs no more memory than one of ten.
/// </summary>
public sealed class CustomerExport(NpgsqlDataSource database)
{
    private const int Patience = 600;

    private static readonly string Count =
        "select count(*) from orders where lower(customer_email) = $1 and erased_at is null";

    // $1 the address in lower case, $2 whether the documents themselves are wanted.
    private static readonly string OfCustomer = $"""
        select jsonb_build_object(
            'number', 'O-' || lpad(o.number::text, greatest(8, length(o.number::text)), '0'), 'id', o.id,
            'client', o.client_id, 'status', {NameOf<OrderStatus>("p.status")}, 'acceptedAt', o.created_at,
            'releaseAt', o.release_at, 'completedAt', p.completed_at, 'rejectedAt', p.rejected_at,
            'cancelledAt', p.cancelled_at, 'premium', o.premium,
            'customer', jsonb_build_object('name', o.customer_name, 'email', o.customer_email, 'locale', o.locale),
            'shippingAddress', jsonb_build_object('line1', o.ship_line1, 'city', o.ship_city,
                'postalCode', o.ship_postal_code, 'country', o.ship_country),
            'notes', o.notes, 'currency', o.currency, 'total', o.total,
            'lines', coalesce((select jsonb_agg(jsonb_build_object('sku', l.sku, 'name', l.name,
                'quantity', l.quantity, 'unitPrice', l.unit_price, 'total', l.total, 'vatRate', l.vat_rate)
                    order by l.line) from order_lines l where l.order_id = o.id), '[]'),
            'steps', coalesce((select jsonb_agg(jsonb_build_object('step', r.step,
                'status', {NameOf<StepStatus>("r.status")}, 'attempts', r.attempts, 'startedAt', r.started_at,
                'finishedAt', r.finished_at) order by r.step) from step_runs r where r.subject_id = o.id), '[]'),
            'mails', coalesce((select jsonb_agg(jsonb_build_object('mail', e.effect, 'sentAt', e.at,
                'reference', e.reference) order by e.at) from effects e where e.subject_id = o.id
                    and e.step = 'email' and e.state = {EffectState.Done:D}), '[]'),
            'webhookEvents', coalesce((select jsonb_agg(jsonb_build_object('id', d.id, 'event', d.event, 'at', d.at)
                order by d.id) from webhook_deliveries d where d.order_id = o.id), '[]'),
            'invoice', (select jsonb_build_object('number', coalesce(i.printed_number, '{OrderNumber.InvoicePrefix}'
                    || lpad(i.number::text, greatest(8, length(i.number::text)), '0')), 'issuedAt', i.issued_at,
                'pdf', '/orders/' || o.id || '/invoice.pdf', 'pdfBase64', {Document("i.pdf")})
                from invoices i where i.order_id = o.id),
            'creditNote', (select jsonb_build_object('number', coalesce(n.printed_number,
                    '{OrderNumber.CreditNotePrefix}' || lpad(n.number::text, greatest(8, length(n.number::text)), '0')),
                'issuedAt', n.issued_at, 'pdf', '/orders/' || o.id || '/credit-note.pdf',
                'pdfBase64', {Document("n.pdf")}) from credit_notes n where n.order_id = o.id))::text as json
        from orders o join order_progress p on p.order_id = o.id
        where lower(o.customer_email) = $1 and o.erased_at is null order by o.id
        """;

    /// <summary>How many orders a customer has.</summary>
    /// <exception cref="NpgsqlException">The database cannot be read.</exception>
    public async Task<long> CountAsync(string address, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Count);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = Normalised(address) });
        return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    /// <summary>Writes the export.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="address">The customer's mail address, in any case.</param>
    /// <param name="documents">Whether the PDFs are written too, in base64; else only where they are.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="NpgsqlException">The database cannot be read.</exception>
    public async Task WriteAsync(Stream output, string address, bool documents, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(OfCustomer);
        command.CommandTimeout = Patience;
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = Normalised(address) });
        command.Parameters.Add(new NpgsqlParameter<bool> { TypedValue = documents });
        await using var reader = await command.ExecuteReaderAsync(CommandBehavior.SequentialAccess, cancellationToken);
        await using var json = new Utf8JsonWriter(output);
        json.WriteStartObject();
        json.WriteString("customer", Normalised(address));
        json.WriteStartArray("orders");
        while (await reader.ReadAsync(cancellationToken))
        {
            json.WriteRawValue(reader.GetString("json"));
            await json.FlushAsync(cancellationToken);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static string Normalised(string address) => address.Trim().ToLowerInvariant();

    private static string Document(string column) =>
        $"case when $2 then translate(encode({column}, 'base64'), chr(10), '') end";

    private static string NameOf<T>(string column)
        where T : struct, Enum =>
        $"case {column} {string.Join(' ', Enum.GetValues<T>().Select(v => $"when {v:D} then '{v}'"))} end";
}
