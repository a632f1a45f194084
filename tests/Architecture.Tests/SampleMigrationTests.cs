using System.Text.RegularExpressions;

namespace Orders.Architecture.Tests;

/// <summary>
/// The framework's tables are in the migration of Orders and in that of the sample. Who makes the one anew makes the
/// other anew, too. Read from the snapshots; only names of keys and indexes differ.
/// </summary>
public sealed partial class SampleMigrationTests
{
    private const string Orders = "src/Infrastructure/Orders/Migrations/OrdersDbContextModelSnapshot.cs";
    private const string Sample = "samples/Parcels/Migrations/ParcelsDbModelSnapshot.cs";

    [Test]
    public void The_sample_has_the_frameworks_tables_of_today()
    {
        var (orders, sample) = (Tables(Repository.Read(Orders)), Tables(Repository.Read(Sample)));
        Assert.That(orders, Has.Count.GreaterThan(30), "tables found");
        Assert.That(
            orders.Where(table => sample.GetValueOrDefault(table.Key) != table.Value).Select(table => table.Key),
            Is.Empty,
            """
            tables of the framework that the sample has otherwise. Make its migration anew:
            rm -r samples/Parcels/Migrations
            dotnet ef migrations add Initial --project samples/Parcels
            """
        );
    }

    [Test]
    public void Another_default_is_found()
    {
        var text = Repository.Read(Sample);
        var changed = text.Replace("Threshold = 30.0", "Threshold = 31.0", StringComparison.Ordinal);
        Assert.That(Tables(changed), Is.Not.EquivalentTo(Tables(text)));
    }

    private static Dictionary<string, string> Tables(string snapshot) =>
        Table()
            .Matches(snapshot)
            .GroupBy(block => block.Groups[1].Value, block => Spaces().Replace(Names().Replace(block.Value, ""), ""))
            .ToDictionary(blocks => blocks.Key, blocks => string.Concat(blocks));

    [GeneratedRegex(
        "^            modelBuilder\\.Entity\\(\"(QueueWorkers\\.[^\"]+)\", b =>\n.*?^                \\}\\);\n",
        RegexOptions.Multiline | RegexOptions.Singleline
    )]
    private static partial Regex Table();

    [GeneratedRegex("\\.Has(?:Name|DatabaseName|ConstraintName)\\(\"[^\"]*\"\\)")]
    private static partial Regex Names();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
