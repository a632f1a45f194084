using Npgsql;
using QueueWorkers.Scheduling;

namespace Orders.Infrastructure.Erasing;

/// <summary>
/// Erases invoices and credit notes of erased customers that tax law asks for no longer. In batches, each a
/// transaction; dying in between leaves the rest to the next firing.
/// </summary>
public sealed class ErasedInvoicesJob(NpgsqlDataSource database, ErasureOptions options) : IScheduledJob
{
    private const int BatchSize = 500;

    /// <summary>What every worker needs: any of them may run the job.</summary>
    internal static IReadOnlyList<string> Grants { get; } = ["execute on function erase_invoices(interval, integer)"];

    /// <inheritdoc />
    public async Task<string> RunAsync(Firing firing, CancellationToken cancellationToken)
    {
        for (var total = 0; ; )
        {
            await using var command = database.CreateCommand("select erase_invoices($1, $2)");
            command.Parameters.Add(new NpgsqlParameter<TimeSpan> { TypedValue = options.KeepInvoices });
            command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = BatchSize });
            var erased = (int)(await command.ExecuteScalarAsync(cancellationToken))!;
            total += erased;
            if (erased < BatchSize)
                return total == 0
                    ? "No invoice of an erased customer was old enough."
                    : $"Erased the invoices of {total} orders.";
        }
    }
}
