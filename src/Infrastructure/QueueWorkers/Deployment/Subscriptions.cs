using System.Text.RegularExpressions;
using Microsoft.Extensions.Configuration;
using QueueWorkers.Hosting;
using QueueWorkers.Messaging;
using QueueWorkers.Outbox;
using QueueWorkers.Steps;

namespace QueueWorkers.Deployment;

/// <summary>
/// Who listens to integration events: the steps that consume one, and the queues of other systems that the
/// configuration names.
/// </summary>
public static partial class Subscriptions
{
    private const string Section = "Deploy:Subscriptions";

    /// <summary>
    /// All of them. A queue of another system is asked for by <c>Deploy__Subscriptions__crm=ParcelSent,ParcelLost</c>.
    /// </summary>
    /// <exception cref="InvalidConfigurationException">With every problem found.</exception>
    public static IReadOnlyList<Subscription> Of(StepCatalogue catalogue, IConfiguration configuration)
    {
        var problems = new ConfigurationProblems();
        var known = string.Join(", ", catalogue.IntegrationEvents.Select(t => t.Name));
        List<Subscription> all = [];
        foreach (var step in catalogue.Steps)
            all.AddRange(
                step.Consumes.Intersect(catalogue.IntegrationEvents)
                    .Select(type => new Subscription { Exchange = MessageName.ExchangeOf(type), Queue = step.Name })
            );

        foreach (var queue in configuration.GetSection(Section).GetChildren())
        {
            problems.Require(
                QueueName().IsMatch(queue.Key)
                    && queue.Key != BrokerDeployment.Unrouted
                    && !catalogue.Steps.Any(s =>
                        queue.Key == s.Name || queue.Key.StartsWith($"{s.Name}_", StringComparison.Ordinal)
                    ),
                $"{Section}:{queue.Key} must be a queue name [a-z][a-z0-9_.-]* that no step has; rename Deploy__Subscriptions__{queue.Key}"
            );
            foreach (
                var name in (queue.Value ?? "").Split(
                    ',',
                    StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries
                )
            )
            {
                var type = catalogue.IntegrationEvents.FirstOrDefault(t => t.Name == name);
                problems.Require(
                    type is not null,
                    $"{Section}:{queue.Key} must list integration events out of {known}, got '{name}'; set Deploy__Subscriptions__{queue.Key}"
                );
                if (type is not null)
                    all.Add(new Subscription { Exchange = MessageName.ExchangeOf(type), Queue = queue.Key });
            }
        }

        problems.ThrowIfAny();
        return [.. all.DistinctBy(s => (s.Exchange, s.Queue))];
    }

    [GeneratedRegex("^[a-z][a-z0-9_.-]{0,99}$")]
    private static partial Regex QueueName();
}
