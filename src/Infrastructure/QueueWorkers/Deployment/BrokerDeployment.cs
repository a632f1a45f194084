using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using QueueWorkers.Messaging;
using QueueWorkers.Outbox;
using QueueWorkers.Steps;
using QueueWorkers.Topology;
using RabbitMQ.Client;

namespace QueueWorkers.Deployment;

/// <summary>
/// Puts exchanges, queues, bindings and policies in place before any host needs them, all derived from the step
/// catalogue. Safe to repeat, and safe to run while the system works.
/// </summary>
public sealed class BrokerDeployment(
    RabbitMqOptions options,
    StepCatalogue catalogue,
    RabbitManagement management,
    IConfiguration configuration,
    ILogger<BrokerDeployment> logger
)
{
    /// <summary>Where messages end up that no queue takes.</summary>
    public const string Unrouted = WellKnownQueues.Unrouted;

    /// <summary>
    /// Deliveries after which the broker moves a message that keeps killing its consumers to <c>_error</c>. Nacks do
    /// not count, lost connections do.
    /// </summary>
    private const int DeliveryLimit = 20;

    // Every queue is a quorum queue: replicated where there are several nodes, on disk before it is confirmed
    // everywhere.
    /// <summary>Does it.</summary>
    /// <exception cref="QueueWorkers.Hosting.InvalidConfigurationException">The broker is too old; nothing was changed
    /// there.</exception>
    public async Task DeployAsync(CancellationToken cancellationToken)
    {
        BrokerVersion.Require(await management.VersionAsync(cancellationToken));
        await DeployPoliciesAsync(cancellationToken);
        await DeployTopologyAsync(cancellationToken);
        await WarnOfLimitsAsync(cancellationToken);
        DeploymentLog.BrokerDeployed(
            logger,
            catalogue.Steps.Count,
            string.Join(", ", catalogue.Steps.Select(s => s.Name))
        );
    }

    // Policies first, so that no queue ever works without its limits. Limits are policies and not queue arguments,
    // because MassTransit copies the arguments of a queue to its _error queue: a limit there would trim or expire the
    // failures.
    private async Task DeployPoliciesAsync(CancellationToken cancellationToken)
    {
        foreach (var step in catalogue.Steps)
        {
            await management.PutPolicyAsync(
                options.VirtualHost,
                $"queue-workers-step-{step.Name}",
                $"^{step.Name}$",
                "quorum_queues",
                new Dictionary<string, object>
                {
                    ["delivery-limit"] = DeliveryLimit,
                    ["dead-letter-exchange"] = "",
                    ["dead-letter-routing-key"] = $"{step.Name}_error",
                    // At-least-once: a dead letter leaves its queue only when the _error queue has confirmed it.
                    ["dead-letter-strategy"] = "at-least-once",
                    ["overflow"] = "reject-publish",
                },
                cancellationToken
            );
        }

        // Dead-lettered messages stay: looking at one counts as a delivery, and so does a look that crashes.
        await management.PutPolicyAsync(
            options.VirtualHost,
            "queue-workers-dead-letters",
            $"^(.*_error|.*_skipped|{Unrouted})$",
            "quorum_queues",
            new Dictionary<string, object> { ["delivery-limit"] = -1 },
            cancellationToken
        );

        // Also the exchanges in front of the queues: when a queue is deleted, its exchange stays behind in all fan-outs
        // and would drop what comes without a word.
        var mandatory = catalogue
            .Steps.SelectMany(s => s.Consumes)
            .Distinct()
            .Select(t => Pattern(MessageName.ExchangeOf(t)))
            .Concat(catalogue.Steps.Select(s => s.Name))
            .Concat(Subscriptions.Of(catalogue, configuration).Select(s => Pattern(s.Queue)))
            .Distinct();
        await management.PutPolicyAsync(
            options.VirtualHost,
            "queue-workers-unrouted",
            $"^({string.Join('|', mandatory)})$",
            "exchanges",
            new Dictionary<string, object> { ["alternate-exchange"] = Unrouted },
            cancellationToken
        );
    }

    private async Task DeployTopologyAsync(CancellationToken cancellationToken)
    {
        await using var connection = await BrokerConnection
            .CreateFactory(options)
            .CreateConnectionAsync("QueueWorkers deployment", cancellationToken);
        await using var channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken);
        await QueueDeclaration.DeclareAsync(channel, Unrouted, cancellationToken);
        foreach (var type in catalogue.Steps.SelectMany(s => s.Consumes).Concat(catalogue.IntegrationEvents).Distinct())
            await channel.ExchangeDeclareAsync(
                MessageName.ExchangeOf(type),
                ExchangeType.Fanout,
                durable: true,
                cancellationToken: cancellationToken
            );

        foreach (var step in catalogue.Steps)
        {
            await QueueDeclaration.DeclareAsync(channel, $"{step.Name}_error", cancellationToken);
            await QueueDeclaration.DeclareAsync(channel, $"{step.Name}_skipped", cancellationToken);
            await QueueDeclaration.DeclareAsync(channel, step.Name, cancellationToken);
            foreach (var type in step.Consumes)
                await channel.ExchangeBindAsync(
                    step.Name,
                    MessageName.ExchangeOf(type),
                    "",
                    cancellationToken: cancellationToken
                );
        }

        foreach (
            var subscription in Subscriptions
                .Of(catalogue, configuration)
                .ExceptBy(catalogue.Steps.Select(s => s.Name), s => s.Queue)
        )
        {
            await QueueDeclaration.DeclareAsync(channel, subscription.Queue, cancellationToken);
            await channel.ExchangeBindAsync(
                subscription.Queue,
                subscription.Exchange,
                "",
                cancellationToken: cancellationToken
            );
        }
    }

    // Limits that somebody has set by a policy of another name, or by an operator policy: the broker would drop
    // messages by them.
    private async Task WarnOfLimitsAsync(CancellationToken cancellationToken)
    {
        using var reader = new TopologyReader(options);
        string[] ours =
        [
            .. catalogue.Steps.SelectMany(s => new[] { s.Name, $"{s.Name}_error", $"{s.Name}_skipped" }),
            Unrouted,
        ];
        foreach (var limit in (await reader.LimitsAsync(cancellationToken)).Where(l => ours.Contains(l.Queue)))
            DeploymentLog.QueueLimited(logger, limit.Queue, limit.Policy, limit.Limits);
    }

    private static string Pattern(string name) => name.Replace(".", "\\.", StringComparison.Ordinal);
}
