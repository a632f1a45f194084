using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Orders.Architecture.Tests;

/// <summary>Contracts ← Infrastructure ← hosts; and each technology is known in one place only.</summary>
public sealed partial class DirectionTests
{
    private static readonly string[] Database = ["Npgsql", "Microsoft.EntityFrameworkCore"];

    // The step's file is its consumer; nothing beside it needs the bus.
    private static readonly string[] MassTransitFolders =
    [
        "src/Infrastructure/QueueWorkers/Messaging/",
        "src/Infrastructure/QueueWorkers/Outbox/",
        "src/Infrastructure/QueueWorkers/Consuming/",
        "src/Infrastructure/QueueWorkers/Steps/",
        "src/Infrastructure/QueueWorkers/MessagingServices.cs",
        "src/Infrastructure/QueueWorkers/Idempotency/",
        "src/Infrastructure/QueueWorkers/DeadLetters/",
        "src/Infrastructure/QueueWorkers/Redrive/",
    ];

    [Test]
    public void Contracts_reference_nothing()
    {
        var (projects, packages) = References("src/Contracts/Contracts.csproj");
        Assert.That(projects.Concat(packages), Is.Empty);
    }

    [Test]
    public void The_framework_references_no_project() =>
        Assert.That(References("src/Infrastructure/QueueWorkers/QueueWorkers.csproj").Projects, Is.Empty);

    [Test]
    public void The_application_references_contracts_and_framework() =>
        Assert.That(
            References("src/Infrastructure/Orders/Orders.Infrastructure.csproj").Projects,
            Is.EquivalentTo(["Contracts", "QueueWorkers"])
        );

    [Test]
    public void The_way_to_the_mail_server_references_the_framework_alone() =>
        Assert.That(References("src/Infrastructure/Smtp/Orders.Smtp.csproj").Projects, Is.EqualTo(["QueueWorkers"]));

    [Test]
    public void Hosts_never_reference_each_other()
    {
        var hosts = Repository
            .Find("src", "*.csproj")
            .Where(p =>
                !p.StartsWith("src/Contracts/", StringComparison.Ordinal)
                && !p.StartsWith("src/Infrastructure/", StringComparison.Ordinal)
            )
            .ToArray();
        Assert.That(hosts, Is.Not.Empty);
        foreach (var host in hosts)
            Assert.That(
                References(host).Projects,
                Is.SubsetOf(["Contracts", "QueueWorkers", "Orders.Infrastructure", "Orders.Smtp"]),
                host
            );
    }

    [Test]
    public void Only_infrastructure_knows_the_database()
    {
        foreach (
            var project in Repository
                .Find("src", "*.csproj")
                .Where(p => !p.StartsWith("src/Infrastructure/", StringComparison.Ordinal))
        )
            Assert.That(
                References(project).Packages.Where(p => Database.Any(d => p.StartsWith(d, StringComparison.Ordinal))),
                Is.Empty,
                project
            );
        Assert.That(
            Naming("src", Database).Where(path => !path.StartsWith("src/Infrastructure/", StringComparison.Ordinal)),
            Is.Empty,
            "files outside Infrastructure that name Npgsql or EF Core"
        );
    }

    [Test]
    public void MassTransit_is_named_only_where_messages_are_handled()
    {
        var allowed = Naming("src", ["MassTransit"])
            .Where(path =>
                !MassTransitFolders.Any(folder => path.StartsWith(folder, StringComparison.Ordinal))
                && !StepFile().IsMatch(path)
            );
        Assert.That(allowed, Is.Empty, "files outside Messaging, Outbox, Steps, Idempotency and the steps' own files");
    }

    [Test]
    public void The_framework_does_not_know_orders()
    {
        var framework = Repository.Sources("src/Infrastructure/QueueWorkers");
        Assert.That(
            framework.Where(path => OrdersNamed().IsMatch(WithoutComments(path))),
            Is.Empty,
            "framework files that name Orders.Infrastructure or Orders.Contracts"
        );
    }

    private static (string[] Projects, string[] Packages) References(string project)
    {
        var xml = XDocument.Parse(Repository.Read(project));
        return (
            [
                .. xml.Descendants("ProjectReference")
                    .Select(r => Path.GetFileNameWithoutExtension(r.Attribute("Include")!.Value.Replace('\\', '/'))),
            ],
            [.. xml.Descendants("PackageReference").Select(r => r.Attribute("Include")!.Value)]
        );
    }

    private static IEnumerable<string> Naming(string folder, string[] names) =>
        Repository
            .Sources(folder)
            .Where(path => names.Any(name => Regex.IsMatch(WithoutComments(path), $@"\b{Regex.Escape(name)}\b")));

    // Comments and texts may say the name: that binds nobody.
    private static string WithoutComments(string path) =>
        StringLiteral().Replace(Comment().Replace(Repository.Read(path), ""), "\"\"");

    [GeneratedRegex("^src/Workers/[A-Za-z]+/[A-Za-z]+Step\\.cs$")]
    private static partial Regex StepFile();

    [GeneratedRegex("//.*")]
    private static partial Regex Comment();

    [GeneratedRegex("\"[^\"\\n]*\"")]
    private static partial Regex StringLiteral();

    [GeneratedRegex(@"\bOrders\.(Infrastructure|Contracts)\b")]
    private static partial Regex OrdersNamed();
}
