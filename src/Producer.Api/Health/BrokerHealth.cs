using Microsoft.Extensions.Diagnostics.HealthChecks;
using QueueWorkers.Messaging;
using QueueWorkers.Outbox;

namespace Orders.Producer.Api.Health;

/// <summary>
/// Shows when the relay of this process cannot publish. Never unhealthy: orders are accepted all the same, and a
/// balancer must not take the API away for it.
/// </summary>
internal sealed class BrokerHealth(BrokerConnection broker, OutboxOptions outbox) : IHealthCheck
{
    /// <inheritdoc />
    public Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context,
        CancellationToken cancellationToken = default
    ) =>
        Task.FromResult(
            !outbox.Relay ? HealthCheckResult.Healthy("No relay in this process; another one sends.")
            : broker.IsReady ? HealthCheckResult.Healthy()
            : HealthCheckResult.Degraded(
                "The broker cannot be reached or is blocked by an alarm; orders are accepted and wait in the outbox."
            )
        );
}
