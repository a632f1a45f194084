using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Npgsql;
using QueueWorkers.GroupCommit;

namespace QueueWorkers.Deployment;

/// <summary>Waits for a server that comes up at the same time as the deployment, for two minutes.</summary>
public static class ServerWait
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    /// <summary>
    /// Runs <paramref name="action"/> until it no longer fails because its server cannot be reached; other failures
    /// come through.
    /// </summary>
    /// <param name="what">The server, for the log.</param>
    /// <param name="action">What needs the server; safe to repeat.</param>
    /// <param name="logger">Where to report to.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    public static async Task UntilAsync(
        string what,
        Func<Task> action,
        ILogger logger,
        CancellationToken cancellationToken
    )
    {
        var deadline = DateTime.UtcNow + Patience;
        while (true)
        {
            try
            {
                await action();
                return;
            }
            catch (Exception exception) when (DateTime.UtcNow < deadline && IsNotThereYet(exception))
            {
                DeploymentLog.Waiting(logger, what, exception.InnerException?.Message ?? exception.Message);
                await Task.Delay(TimeSpan.FromSeconds(1), cancellationToken);
            }
        }
    }

    private static bool IsNotThereYet(Exception exception) =>
        exception switch
        {
            // A wrong password or a missing database does not come right by itself: the deployer is told at once.
            PostgresException postgres => DatabaseFault.IsUnavailable(postgres)
                && postgres.SqlState[..2] is not ("28" or "3D"),
            NpgsqlException or RabbitMQ.Client.Exceptions.BrokerUnreachableException => true,
            HttpRequestException { StatusCode: null } => true,
            DbUpdateException or InvalidOperationException => exception.InnerException is { } inner
                && IsNotThereYet(inner),
            _ => false,
        };
}
