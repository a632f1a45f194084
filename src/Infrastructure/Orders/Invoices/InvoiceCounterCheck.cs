using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using QueueWorkers.Hosting;

namespace Orders.Infrastructure.Invoices;

/// <summary>
/// Refuses the start of a process that issues invoices with numbers or days that cannot be right:
/// - A counter is behind the numbers that are issued already: the next numbers would be those of other orders. This is
///   what a database looks like that was restored in parts.
/// - The configured first number is ahead of the numbers that are issued already: a jump would leave a gap.
/// - The database does not know the time zone: no invoice could be issued.
/// A database that does not answer is no reason to refuse: the unique index on the number keeps a number from being
/// issued twice in any case.
/// </summary>
public sealed class InvoiceCounterCheck(
    NpgsqlDataSource database,
    InvoiceNumbering numbering,
    ILogger<InvoiceCounterCheck> logger
) : IHostedLifecycleService
{
    private const string Counters = """
        select c.series, c.last, coalesce(i.highest, 0)
        from invoice_counter c
            join (select 'invoice' as series, max(number) as highest from invoices
                union all select 'credit-note', max(number) from credit_notes) i on i.series = c.series
        order by c.series
        """;

    private const string Zone = "select now() at time zone $1";

    /// <inheritdoc />
    /// <exception cref="InvalidConfigurationException">With every problem and its remedy.</exception>
    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        var problems = new ConfigurationProblems();
        try
        {
            await CheckCountersAsync(problems, cancellationToken);
            await CheckZoneAsync(problems, cancellationToken);
        }
        catch (NpgsqlException fault)
        {
            InvoiceLog.CounterNotChecked(logger, fault.Message);
        }

        problems.ThrowIfAny();
    }

    private async Task CheckCountersAsync(ConfigurationProblems problems, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Counters);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var (series, last, highest) = (reader.GetString(0), reader.GetInt64(1), reader.GetInt64(2));
            var (first, setting) =
                series == "invoice"
                    ? (numbering.FirstNumber, "FirstNumber")
                    : (numbering.FirstCreditNote, "FirstCreditNote");
            problems
                .Require(
                    highest <= last,
                    $"Expected the counter of series '{series}' at {highest} or above, the "
                        + $"highest number issued; found {last}. Was the database restored in parts? "
                        + "See docs/operating.md, \"The invoice counter is behind\"."
                )
                .Require(
                    last == 0 || first <= last + 1,
                    $"Invoice:{setting} must be at most {last + 1}, because the numbers up to {last} are issued and a "
                        + $"jump would leave a gap, got {first}; set Invoice__{setting}"
                );
        }
    }

    private async Task CheckZoneAsync(ConfigurationProblems problems, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Zone);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = numbering.TimeZone });
        try
        {
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
        catch (PostgresException unknown) when (unknown.SqlState == PostgresErrorCodes.InvalidParameterValue)
        {
            problems.Require(
                false,
                $"Invoice:TimeZone names a zone that PostgreSQL does not know, got '{numbering.TimeZone}' "
                    + $"({unknown.MessageText}); set Invoice__TimeZone"
            );
        }
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
