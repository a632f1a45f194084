using Npgsql;
using QueueWorkers.Steps;
using QueueWorkers.Steps.Runs;

namespace Orders.Infrastructure.Invoices;

/// <summary>Store the rendered document of an invoice.</summary>
/// <param name="OrderId">The order.</param>
/// <param name="Pdf">The document.</param>
/// <param name="Sha256">Its SHA-256.</param>
public sealed record StoreInvoicePdf(Guid OrderId, byte[] Pdf, byte[] Sha256) : IStepWrite;

/// <summary>
/// Stores documents in the step's commit, all of a batch in one statement. A document that is there is never
/// overwritten: a customer may have it.
/// </summary>
public sealed class StoreInvoicePdfWriter : StepWriter<StoreInvoicePdf>
{
    private const string Store = """
        update invoices i set pdf = t.pdf, sha256 = t.sha256
        from unnest($1::uuid[], $2::bytea[], $3::bytea[]) as t(order_id, pdf, sha256)
            where i.order_id = t.order_id and i.pdf is null
        """;

    /// <inheritdoc />
    /// <remarks>
    /// No row is wanted by two transactions at a time: the effect of the order, written before, keeps twins out.
    /// </remarks>
    public override int LockOrder => 30;

    /// <inheritdoc />
    protected override async Task WriteAsync(
        NpgsqlConnection connection,
        IReadOnlyList<(StepRun Run, StoreInvoicePdf Write)> runs
    )
    {
        await using var command = new NpgsqlCommand(Store, connection);
        command.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = [.. runs.Select(r => r.Write.OrderId)] });
        command.Parameters.Add(new NpgsqlParameter<byte[][]> { TypedValue = [.. runs.Select(r => r.Write.Pdf)] });
        command.Parameters.Add(new NpgsqlParameter<byte[][]> { TypedValue = [.. runs.Select(r => r.Write.Sha256)] });
        Failpoint.Hit("invoice.before_store", Outside.Database);
        await command.ExecuteNonQueryAsync();
        Failpoint.Hit("invoice.after_store", Outside.Database);
    }
}
