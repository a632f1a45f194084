using System.Net;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Npgsql;
using QueueWorkers.GroupCommit;
using QueueWorkers.Hosting;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

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
    /// <param name="explainTls">A sentence on a fault that is TLS', which no wait ends; null for any other
    /// fault.</param>
    /// <param name="logger">Where to report to.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="InvalidConfigurationException">The server is not trusted, or speaks no TLS.</exception>
    public static async Task UntilAsync(
        string what,
        Func<Task> action,
        Func<Exception, string?> explainTls,
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
            catch (Exception exception) when (explainTls(exception) is { } untrusted)
            {
                // Waiting makes no certificate right.
                throw new InvalidConfigurationException([untrusted]);
            }
            catch (Exception exception)
                when (DateTime.UtcNow < deadline
                    && !cancellationToken.IsCancellationRequested
                    && IsNotThereYet(exception)
                )
            {
                DeploymentLog.Waiting(logger, what, exception.InnerException?.Message ?? exception.Message);
                await Task.Delay(TimeSpan.FromSeconds(1), cancellationToken);
            }
            catch (Exception exception) when (DateTime.UtcNow < deadline && MetAnother(exception))
            {
                DeploymentLog.MetAnother(logger, exception.InnerException?.Message ?? exception.Message);
                await Task.Delay(TimeSpan.FromSeconds(1), cancellationToken);
            }
        }
    }

    // A deadlock, a lock that took too long, or a role that the deployment of another database of the same server has
    // changed meanwhile ("tuple concurrently updated"): nothing was written, the next try finds it done.
    private static bool MetAnother(Exception exception) =>
        DatabaseFault.KindOf(exception) == DatabaseFaultKind.Conflict
        || exception is PostgresException { SqlState: PostgresErrorCodes.InternalError, Routine: "simple_heap_update" };

    private static bool IsNotThereYet(Exception exception) =>
        exception switch
        {
            // A wrong password or a missing database does not come right by itself: the deployer is told at once.
            PostgresException postgres => DatabaseFault.IsUnavailable(postgres)
                && postgres.SqlState[..2] is not ("28" or "3D"),
            NpgsqlException or BrokerUnreachableException => true,
            // The broker went away in the middle: it said so, or the connection was lost.
            OperationInterruptedException { ShutdownReason: { Initiator: ShutdownInitiator.Peer } reason } =>
                reason.ReplyCode is Constants.ConnectionForced or Constants.InternalError,
            OperationInterruptedException => true,
            HttpRequestException { StatusCode: null or >= HttpStatusCode.InternalServerError } => true,
            // A call that got no answer in time: a server that stands still.
            OperationCanceledException or TimeoutException => true,
            DbUpdateException or InvalidOperationException => exception.InnerException is { } inner
                && IsNotThereYet(inner),
            _ => false,
        };
}
