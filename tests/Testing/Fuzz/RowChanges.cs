using Orders.Testing.Servers;

namespace Orders.Testing.Fuzz;

/// <summary>
/// Which tables have more or fewer rows than at the last look. Triggers note each row that comes or goes, so that a
/// look costs the same however many rows and partitions there are.
/// </summary>
internal sealed class RowChanges
{
    private const string Take = """
        with taken as (delete from fuzz_changes returning of_table, more)
        select of_table, sum(more) from taken group by of_table having sum(more) <> 0 order by of_table
        """;

    private readonly TestDatabase _database;

    private RowChanges(TestDatabase database) => _database = database;

    /// <summary>Watches all tables but some.</summary>
    public static async Task<RowChanges> WatchAsync(TestDatabase database, IReadOnlyCollection<string> without)
    {
        await database.ExecuteAsync(
            """
            create table if not exists fuzz_changes (of_table text not null, more integer not null);
            create or replace function note_fuzz_change() returns trigger language plpgsql
                security definer set search_path = public, pg_temp as $f$
            begin
                insert into fuzz_changes values (tg_argv[0], case tg_op when 'INSERT' then 1 else -1 end);
                return null;
            end $f$
            """
        );
        var tables = await database.RowsAsync(
            """
            select relname::text from pg_class
            where relkind in ('r', 'p') and not relispartition and relnamespace = 'public'::regnamespace
                and relname <> 'fuzz_changes' order by 1
            """
        );
        var names = tables.Select(row => (string)row[0]!).ToArray();
        Assert.That(without, Is.SubsetOf(names), "tables that are left out");
        await database.ExecuteAsync(
            string.Join(
                ";\n",
                names
                    .Except(without)
                    .Select(table =>
                        $"""
                            create or replace trigger fuzz_change after insert or delete on "{table}"
                                for each row execute function note_fuzz_change('{table}')
                            """
                    )
            )
        );
        var changes = new RowChanges(database);
        await changes.TakeAsync();
        return changes;
    }

    /// <summary>The tables whose number of rows has changed since the last look, and by how much.</summary>
    public async Task<IReadOnlyList<(string Table, long More)>> TakeAsync() =>
        [.. (await _database.RowsAsync(Take)).Select(row => ((string)row[0]!, (long)row[1]!))];
}
