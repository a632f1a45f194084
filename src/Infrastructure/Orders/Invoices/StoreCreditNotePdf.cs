using Npgsql;
using NpgsqlTypes;
using QueueWorkers.Steps;
using QueueWorkers.Steps.Runs;

namespace Orders.Infrastructure.Invoices;

/// <summary>Store the rendered document of a credit note.</summary>
/// <param name="Document">The document.</param>
/// <param name="Invoice">The document of the invoice, if the run that issued its number died before it was rendered: an
/// issued number has a document.</param>
public sealed record StoreCreditNotePdf(StoreInvoicePdf Document, StoreInvoicePdf? Invoice) : IStepWrite;

/// <summary>Stores documents of credit notes in the commit of the run that undoes the invoice.</summary>
public sealed class StoreCreditNotePdfWriter : StepWriter<StoreCreditNotePdf>
{
    private const string Store = """
        with i as (
            update invoices i set pdf = t.pdf, sha256 = t.sha256
            from unnest($4::uuid[], $5::bytea[], $6::bytea[]) as t(order_id, pdf, sha256)
                where i.order_id = t.order_id and i.pdf is null)
        update credit_notes n set pdf = t.pdf, sha256 = t.sha256
        from unnest($1::uuid[], $2::bytea[], $3::bytea[]) as t(order_id, pdf, sha256)
            where n.order_id = t.order_id and n.pdf is null
        """;

    /// <inheritdoc />
    public override int LockOrder => 31;

    /// <inheritdoc />
    protected override async Task WriteAsync(
        NpgsqlConnection connection,
        IReadOnlyList<(StepRun Run, StoreCreditNotePdf Write)> runs
    )
    {
        await using var command = new NpgsqlCommand(Store, connection);
        Add(command, [.. runs.Select(r => r.Write.Document)]);
        Add(command, [.. runs.Select(r => r.Write.Invoice).OfType<StoreInvoicePdf>()]);
        Failpoint.Hit("invoice.before_store_credit_note", Outside.Database);
        await command.ExecuteNonQueryAsync();
        Failpoint.Hit("invoice.after_store_credit_note", Outside.Database);
    }

    private static void Add(NpgsqlCommand command, StoreInvoicePdf[] documents)
    {
        command.Parameters.Add(
            new NpgsqlParameter<Guid[]> { TypedValue = Array.ConvertAll(documents, d => d.OrderId) }
        );
        command.Parameters.Add(
            new NpgsqlParameter<byte[][]>
            {
                TypedValue = Array.ConvertAll(documents, d => d.Pdf),
                NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bytea,
            }
        );
        command.Parameters.Add(
            new NpgsqlParameter<byte[][]>
            {
                TypedValue = Array.ConvertAll(documents, d => d.Sha256),
                NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bytea,
            }
        );
    }
}
