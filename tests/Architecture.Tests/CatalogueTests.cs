using System.Text.RegularExpressions;
using Orders.Contracts;
using Orders.Infrastructure.Feeding;
using Orders.Workers;
using QueueWorkers.Outbox;
using QueueWorkers.Steps;

namespace Orders.Architecture.Tests;

/// <summary>The catalogue is the one place where steps are listed; whatever repeats it is held to it.</summary>
public sealed partial class CatalogueTests
{
    [Test]
    public void Every_step_is_in_the_catalogue_once()
    {
        var classes = typeof(Steps)
            .Assembly.GetTypes()
            .Where(t => t is { IsClass: true, IsAbstract: false } && t.IsAssignableTo(typeof(IStep)));
        Assert.That(Steps.Catalogue.Steps.Select(s => s.Type), Is.EquivalentTo(classes));
    }

    [Test]
    public void Every_message_type_has_a_consumer_or_is_published()
    {
        var known = Steps.Catalogue.Steps.SelectMany(s => s.Consumes).Concat(Steps.Catalogue.IntegrationEvents);
        Assert.That(
            Messages.All.Except(known),
            Is.Empty,
            "contracts that nobody consumes; publish them in Steps.cs if that is meant"
        );
    }

    // What stands in a queue that somebody deletes is made again from the database (TopologyGuard).
    [Test]
    public void Every_message_type_that_a_step_consumes_can_be_made_again()
    {
        // Reports on stock: the next firing of the schedule mails a newer one.
        string[] notMadeAgain = [MessageName.ExchangeOf(typeof(LowStockReportDue))];
        Assert.That(
            Steps
                .Catalogue.Steps.SelectMany(s => s.Consumes)
                .Select(MessageName.ExchangeOf)
                .Except([.. OrderLostMessages.Types, .. notMadeAgain]),
            Is.Empty,
            "message types that are lost with a queue; OrderLostMessages makes them again"
        );
    }

    [Test]
    public void Every_step_is_a_service_in_compose_that_runs_it_alone()
    {
        var services = Services().Where(s => s.Text.Contains("<<: *step", StringComparison.Ordinal)).ToArray();
        Assert.That(
            services.Select(s => s.Name),
            Is.EquivalentTo(Steps.Catalogue.Steps.Select(s => s.Name)),
            "services of steps in docker-compose.yml; the catalogue is src/Workers/Steps.cs"
        );
        foreach (var (name, text) in services)
        {
            Assert.That(text, Does.Match($@"(?m)^\s+Workers__Steps: {name}$"), name);
            Assert.That(
                text,
                Does.Match($@"(?m);Username=orders_{name}$").And.Contain($"RabbitMq__Username: orders_{name}"),
                $"{name} has users of its own"
            );
        }
    }

    private static IEnumerable<(string Name, string Text)> Services()
    {
        var services = Services(Repository.Read("docker-compose.yml").ReplaceLineEndings("\n"));
        return ServiceStart().Split(services).Skip(1).Chunk(2).Select(pair => (pair[0], pair[1]));
    }

    private static string Services(string compose)
    {
        var start = compose.IndexOf("\nservices:\n", StringComparison.Ordinal);
        Assert.That(start, Is.GreaterThan(0), "docker-compose.yml has a block 'services:'");
        var end = compose.IndexOf("\nvolumes:", start, StringComparison.Ordinal);
        return compose[start..(end < 0 ? compose.Length : end)];
    }

    [GeneratedRegex("(?m)^  ([a-z][a-z0-9-]*):$")]
    private static partial Regex ServiceStart();
}
