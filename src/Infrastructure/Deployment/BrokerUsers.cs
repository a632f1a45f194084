using Microsoft.Extensions.Configuration;
using Npgsql;
using Orders.Infrastructure.Failures;
using Orders.Infrastructure.Messaging;
using Orders.Infrastructure.Outbox;
using Orders.Infrastructure.Steps;
using Orders.Infrastructure.Topology;

namespace Orders.Infrastructure.Deployment;

/// <summary>
/// One RabbitMQ user per process, with just what it needs. Every relay may publish what any process has left in the outbox; beyond that the API may do nothing,
/// the dashboard may look at what is parked, and a worker may consume from its own queue and move messages to its own <c>_error</c> and <c>_skipped</c>.
/// </summary>
public sealed class BrokerUsers(RabbitMqOptions options, StepCatalogue catalogue, RabbitManagement management, IConfiguration configuration, NpgsqlDataSource database)
{
    private const string Nothing = "^$";

    /// <summary>Creates the users and their permissions. Passwords: <c>API_MQ_PASSWORD</c>, <c>EMAIL_MQ_PASSWORD</c> … A process without one gets no user.</summary>
    public async Task DeployAsync(CancellationToken cancellationToken)
    {
        var publish = string.Join('|', catalogue.Steps.SelectMany(s => s.Consumes).Concat(catalogue.Announcements).Distinct().Select(MessageName.ExchangeOf)
            .Select(name => name.Replace(".", "\\.", StringComparison.Ordinal)).Concat(catalogue.Steps.Select(s => s.Name)));
        await DeployAsync("api", Nothing, $"^({publish})$", Nothing, cancellationToken);
        // Looks into what is parked, takes it out and puts it back, and only there; sees figures of all queues through the management API.
        // Of steps that were retired too: what failed there is still an operator's to decide on.
        var parked = string.Join('|', await ParkedQueues.ReadAsync(database, cancellationToken));
        // And it repairs the topology: binds exchanges, recreates parking queues, and marks queues that are complete (Topology/TopologyGuard).
        var types = string.Join('|', catalogue.Steps.SelectMany(s => s.Consumes).Concat(catalogue.Announcements).Distinct().Select(MessageName.ExchangeOf)
            .Select(name => name.Replace(".", "\\.", StringComparison.Ordinal)));
        await DeployAsync(
            "dashboard", $"^({parked}|{TopologyGuard.Marks})$", $"^({publish}|{parked})$", $"^({parked}|{types}|{TopologyGuard.Marks})$", cancellationToken, tags: "monitoring");
        foreach (var name in catalogue.Steps.Select(s => s.Name))
            await DeployAsync(name, $"^{name}(_error|_skipped)?$", $"^({publish}|{name}_error|{name}_skipped)$", $"^{name}(_error|_skipped)?$", cancellationToken);
    }

    private async Task DeployAsync(string process, string configure, string write, string read, CancellationToken cancellationToken, string tags = "")
    {
        if (ProcessCredentials.BrokerPassword(configuration, process) is not { } password)
            return;

        var user = ProcessCredentials.UserOf(process);
        await management.PutUserAsync(user, password, tags, cancellationToken);
        await management.PutPermissionsAsync(options.VirtualHost, user, configure, write, read, cancellationToken);
    }
}
