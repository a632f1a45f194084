using Microsoft.Extensions.Diagnostics.HealthChecks;
using Npgsql;
using Orders.Infrastructure.Coalescing;

namespace Orders.Infrastructure.Hosting;

/// <summary>Whether the database can be reached and has been deployed.</summary>
public sealed class DatabaseHealth(NpgsqlDataSource database) : IHealthCheck
{
    /// <inheritdoc />
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            await using var command = database.CreateCommand("select exists (select from step_catalogue)");
            command.CommandTimeout = 3;
            return await command.ExecuteScalarAsync(cancellationToken) is true
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
