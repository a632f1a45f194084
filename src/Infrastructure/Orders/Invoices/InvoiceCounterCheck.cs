using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using QueueWorkers.Hosting;

namespace Orders.Infrastructure.Invoices;

/// <summary>
/// Refuses the start of a process that issues invoices while a counter is behind the numbers that are issued already:
/// the next numbers would be those of other orders. This is what a database looks like that was restored in parts.
/// A database that does not answer is no reason to refuse: the unique index on the number keeps a number from being
/// issued twice in any case.
/// </summary>
public sealed class InvoiceCounterCheck(NpgsqlDataSource database, ILogger<InvoiceCounterCheck> logger)
    : IHostedLifecycleService
{
    private const string Behind = """
        select c.series, c.last, i.highest
        from invoice_counter c
            join (select 'invoice' as series, max(number) as highest from invoices
                union all select 'credit-note', max(number) from credit_notes) i on i.series = c.series
        where i.highest > c.last
        order by c.series
        """;

    /// <inheritdoc />
    /// <exception cref="InvalidConfigurationException">A counter is behind.</exception>
    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        var problems = new List<string>();
        try
        {
            await using var command = database.CreateCommand(Behind);
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
                problems.Add(
                    $"Expected the counter of series '{reader.GetString(0)}' at {reader.GetInt64(2)} or above, the "
                        + $"highest number issued; found {reader.GetInt64(1)}. Was the database restored in parts? "
                        + "See docs/operating.md, \"The invoice counter is behind\"."
                );
        }
        catch (NpgsqlException fault)
        {
            InvoiceLog.CounterNotChecked(logger, fault.Message);
        }

        if (problems.Count > 0)
            throw new InvalidConfigurationException(problems);
    }

    /// <inheritdoc />
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc />
    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc />
    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc />
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc />
    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
