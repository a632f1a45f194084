using Microsoft.Extensions.Diagnostics.HealthChecks;
using Npgsql;
using QueueWorkers.GroupCommit;

namespace QueueWorkers.Hosting;

/// <summary>
/// Whether the database can be reached and has been deployed. Anybody may ask, so those who ask while a question is
/// under way get its answer: a flood takes one connection of the pool, and not all of them.
/// </summary>
public sealed class DatabaseHealth(NpgsqlDataSource database) : IHealthCheck
{
    private readonly Lock _lock = new();
    private Task<HealthCheckResult>? _asked;

    /// <inheritdoc />
    public Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context,
        CancellationToken cancellationToken = default
    )
    {
        lock (_lock)
        {
            if (_asked is not { IsCompleted: false })
                _asked = AskAsync();
            return _asked.WaitAsync(cancellationToken);
        }
    }

    // Without the asker's token: the answer is that of others too. The command has a time limit.
    private async Task<HealthCheckResult> AskAsync()
    {
        try
        {
            await using var command = database.CreateCommand("select exists (select from step_catalogue)");
            command.CommandTimeout = 3;
            return await command.ExecuteScalarAsync(CancellationToken.None) is true
                ? HealthCheckResult.Healthy()
                : HealthCheckResult.Unhealthy("The database has no steps yet; run `Workers deploy`.");
        }
        catch (PostgresException missing) when (missing.SqlState == PostgresErrorCodes.UndefinedTable)
        {
            return HealthCheckResult.Unhealthy("The database has no tables yet; run `Workers deploy`.", missing);
        }
        catch (NpgsqlException away)
        {
            DatabaseFaultMetrics.Count(away);
            return HealthCheckResult.Unhealthy(DatabaseFault.Explain(away), away);
        }
    }
}
