using Orders.Testing.Servers;

namespace Orders.Testing.Fuzz;

/// <summary>How many rows each table has.</summary>
internal sealed class RowCounts
{
    private readonly TestDatabase _database;
    private readonly string[] _tables;
    private readonly string _sql;

    private RowCounts(TestDatabase database, string[] tables)
    {
        (_database, _tables) = (database, tables);
        _sql = $"select array[{string.Join(", ", tables.Select(table => $"(select count(*) from \"{table}\")"))}]";
    }

    /// <summary>For all tables but some.</summary>
    public static async Task<RowCounts> OfAsync(TestDatabase database, IReadOnlyCollection<string> without)
    {
        var tables = await database.RowsAsync(
            """
            select relname::text from pg_class
            where relkind in ('r', 'p') and not relispartition and relnamespace = 'public'::regnamespace order by 1
            """
        );
        var names = tables.Select(row => (string)row[0]!).ToArray();
        Assert.That(without, Is.SubsetOf(names), "tables that are left out");
        return new RowCounts(database, [.. names.Except(without)]);
    }

    /// <summary>Reads all counts, in one statement.</summary>
    public async Task<IReadOnlyDictionary<string, long>> ReadAsync()
    {
        var counts = (long[])(await _database.RowsAsync(_sql))[0][0]!;
        return _tables.Zip(counts).ToDictionary(pair => pair.First, pair => pair.Second);
    }
}
