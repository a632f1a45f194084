using Microsoft.EntityFrameworkCore;
using Orders.Infrastructure;
using Parcels;
using QueueWorkers;

namespace Orders.Samples.Tests;

/// <summary>
/// The framework's tables have the same names in every context: its SQL says them, whatever an application does with its
/// own.
/// </summary>
public sealed class OwnContextTests
{
    [Test]
    public void A_context_without_a_naming_convention_has_the_frameworks_columns()
    {
        using var parcels = new ParcelsDb(new DbContextOptionsBuilder<ParcelsDb>().UseNpgsql("Host=localhost").Options);
        using var orders = new OrdersDbContext(
            new DbContextOptionsBuilder<OrdersDbContext>()
                .UseNpgsql("Host=localhost")
                .UseSnakeCaseNamingConvention()
                .Options
        );
        var expected = ColumnsOf(orders);
        Assert.Multiple(() =>
        {
            Assert.That(expected, Has.Length.GreaterThan(200), "columns found");
            Assert.That(ColumnsOf(parcels), Is.EquivalentTo(expected));
            Assert.That(
                parcels.Model.FindEntityType(typeof(Parcel))!.FindProperty("Grams")!.GetColumnName(),
                Is.EqualTo("Grams")
            );
        });
    }

    [Test]
    public void The_samples_migration_creates_todays_tables()
    {
        using var parcels = new ParcelsDb(new DbContextOptionsBuilder<ParcelsDb>().UseNpgsql("Host=localhost").Options);
        Assert.That(
            parcels.Database.HasPendingModelChanges(),
            Is.False,
            """
            The tables of the framework or of the sample have changed. Make the sample's migration anew:
            rm -r samples/Parcels/Migrations
            dotnet ef migrations add Initial --project samples/Parcels
            """
        );
    }

    [Test]
    public void The_sample_is_read_in_ten_minutes()
    {
        var folder = Path.Combine(Commands.Root, "samples", "Parcels");
        string[] patterns = ["*.cs", "*.csproj", "*.yaml", "appsettings*.json"];
        var lines = patterns
            .SelectMany(pattern => Directory.EnumerateFiles(folder, pattern, SearchOption.AllDirectories))
            .Where(path =>
                Path.GetRelativePath(folder, path).Split(Path.DirectorySeparatorChar)[0]
                    is not ("bin" or "obj" or "Migrations")
            )
            .Sum(path => File.ReadLines(path).Count());
        Assert.That(lines, Is.InRange(100, 400), "lines that a person wrote");
    }

    private static string[] ColumnsOf(DbContext context) =>
        [
            .. context
                .Model.GetEntityTypes()
                .Where(entity => entity.ClrType.Assembly == typeof(QueueWorkersModel).Assembly)
                .SelectMany(entity => entity.GetProperties())
                .Select(property =>
                    $"{property.DeclaringType.GetTableName()}.{property.GetColumnName()} {property.GetColumnType()}"
                ),
        ];
}
