using Microsoft.Extensions.Configuration;
using Npgsql;
using QueueWorkers.Messaging;
using QueueWorkers.Outbox;
using QueueWorkers.Steps;
using QueueWorkers.Topology;

namespace QueueWorkers.Deployment;

/// <summary>
/// One RabbitMQ user per process, with just what it needs. Every relay may publish what any process has left in the
/// outbox; beyond that the API may do nothing, the dashboard may look at what is dead-lettered, and a worker may
/// consume from its own queue and move messages to its own <c>_error</c> and <c>_skipped</c>.
/// </summary>
public sealed class BrokerUsers(
    RabbitMqOptions options,
    StepCatalogue catalogue,
    RabbitManagement management,
    IConfiguration configuration,
    NpgsqlDataSource database
)
{
    private const string Nothing = "^$";

    /// <summary>
    /// Creates the users and their permissions. Passwords: <c>API_MQ_PASSWORD</c>, <c>EMAIL_MQ_PASSWORD</c> … A process
    /// without one gets no user.
    /// </summary>
    /// <param name="keep">Whether processes of another build are connected: then what a user was allowed for them stays,
    /// and the next deployment takes it away. Asked right before each change: such a process may connect at any
    /// time.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public async Task DeployAsync(Func<Task<bool>> keep, CancellationToken cancellationToken)
    {
        // Also of steps that were retired: their messages may be in the outbox, and what failed there is still an
        // operator's to decide on.
        var (oldSteps, oldExchanges) = await StepCatalogueRows.ReadAsync(database, cancellationToken);
        string[] steps = [.. catalogue.Steps.Select(s => s.Name).Union(oldSteps)];
        string[] types =
        [
            .. catalogue
                .Steps.SelectMany(s => s.Consumes)
                .Concat(catalogue.IntegrationEvents)
                .Select(MessageName.ExchangeOf)
                .Union(oldExchanges),
        ];
        string[] publish = [.. types, .. steps];
        await DeployAsync("api", new BrokerPermissions(Nothing, OneOf(publish), Nothing), keep, cancellationToken);
        // Looks into what is dead-lettered, takes it out and puts it back, and only there; sees figures of all queues
        // through the management API. And it repairs the topology: binds exchanges, recreates dead-lettering queues, and
        // marks queues that are complete (Topology/TopologyMarks).
        string[] deadLetters =
        [
            .. steps.SelectMany(s => new[] { $"{s}_error", $"{s}_skipped" }),
            WellKnownQueues.Unrouted,
        ];
        await DeployAsync(
            "dashboard",
            new BrokerPermissions(
                OneOf([.. deadLetters, TopologyMarks.Exchange]),
                OneOf([.. publish, .. deadLetters]),
                OneOf([.. deadLetters, .. types, TopologyMarks.Exchange])
            ),
            keep,
            cancellationToken,
            tags: "monitoring"
        );
        foreach (var name in catalogue.Steps.Select(s => s.Name))
        {
            var own = OneOf([name, $"{name}_error", $"{name}_skipped"]);
            await DeployAsync(
                name,
                new BrokerPermissions(own, OneOf([.. publish, $"{name}_error", $"{name}_skipped"]), own),
                keep,
                cancellationToken
            );
        }
    }

    private async Task DeployAsync(
        string process,
        BrokerPermissions permissions,
        Func<Task<bool>> keep,
        CancellationToken cancellationToken,
        string tags = ""
    )
    {
        if (ProcessCredentials.BrokerPassword(configuration, process) is not { } password)
            return;

        var user = ProcessCredentials.UserOf(process);
        await management.PutUserAsync(user, password, tags, cancellationToken);
        var held = await management.FindPermissionsAsync(options.VirtualHost, user, cancellationToken);
        if (held is not null && permissions != held && await keep())
            permissions = new BrokerPermissions(
                OneOf(NamesOf(held.Configure).Union(NamesOf(permissions.Configure))),
                OneOf(NamesOf(held.Write).Union(NamesOf(permissions.Write))),
                OneOf(NamesOf(held.Read).Union(NamesOf(permissions.Read)))
            );
        if (permissions != held)
            await management.PutPermissionsAsync(options.VirtualHost, user, permissions, cancellationToken);
    }

    private static string OneOf(IEnumerable<string> names)
    {
        string[] sorted =
        [
            .. names
                .Select(n => n.Replace("\\", "", StringComparison.Ordinal))
                .Distinct()
                .Order(StringComparer.Ordinal)
                .Select(n => n.Replace(".", "\\.", StringComparison.Ordinal)),
        ];
        return sorted is [] ? Nothing : $"^({string.Join('|', sorted)})$";
    }

    // The names in a permission as OneOf writes it; none for one that somebody has written by hand.
    private static string[] NamesOf(string permission) =>
        permission.StartsWith("^(", StringComparison.Ordinal)
        && permission.EndsWith(")$", StringComparison.Ordinal)
        && permission[2..^2] is var inner
        && inner.IndexOfAny(['(', ')', '*', '?', '[']) < 0
            ? inner.Split('|')
            : [];
}
