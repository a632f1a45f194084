using Microsoft.EntityFrameworkCore;
using Npgsql;
using Orders.Infrastructure;
using QueueWorkers.Deployment.Framework;

namespace Orders.Testing.Servers;

/// <summary>
/// A database of a fixture's own: a copy of one that was migrated once, which is ten times faster than migrating again.
/// </summary>
public sealed class TestDatabase : IAsyncDisposable
{
    // Any number nobody else uses: whoever holds it makes the template, other test processes wait.
    private const long TemplateLock = 0x4f72646572730002;

    // A rebuilt Infrastructure may bring other migrations, and the servers may live longer than one build.
    private static readonly string Template = $"template_{typeof(OrdersDbContext).Module.ModuleVersionId:N}";

    private static readonly Lazy<Task> TemplateMade = new(MakeTemplateAsync);

    private readonly string _name;

    private TestDatabase(string name, string connectionString)
    {
        _name = name;
        ConnectionString = connectionString;
        // Hosts refuse these details: rows of customers would stand in faults.
        Source = NpgsqlDataSource.Create(
            new NpgsqlConnectionStringBuilder(connectionString) { IncludeErrorDetail = true }
        );
    }

    /// <summary>The owner's connection string.</summary>
    public string ConnectionString { get; }

    /// <summary>Connections of the owner, for looking at rows. The hosts under test have their own.</summary>
    public NpgsqlDataSource Source { get; }

    /// <summary>Creates one.</summary>
    public static async Task<TestDatabase> CreateAsync()
    {
        await TemplateMade.Value;
        return await CreateAsync($"template {Template}");
    }

    /// <summary>Creates one without any table.</summary>
    public static Task<TestDatabase> CreateEmptyAsync() => CreateAsync("");

    /// <summary>One value of a query.</summary>
    public async Task<T> ScalarAsync<T>(string sql, params object[] values)
    {
        await using var command = Command(sql, values);
        return (T)
            Convert.ChangeType(
                (await command.ExecuteScalarAsync())!,
                typeof(T),
                System.Globalization.CultureInfo.InvariantCulture
            );
    }

    /// <summary>How many rows a query finds.</summary>
    /// <param name="from">What follows <c>select count(*) from</c>.</param>
    /// <param name="values">Its parameters.</param>
    public Task<long> CountAsync(string from, params object[] values) =>
        ScalarAsync<long>($"select count(*) from {from}", values);

    /// <summary>The rows of a query.</summary>
    public async Task<List<object?[]>> RowsAsync(string sql, params object[] values)
    {
        await using var command = Command(sql, values);
        await using var reader = await command.ExecuteReaderAsync();
        var rows = new List<object?[]>();
        while (await reader.ReadAsync())
            rows.Add([
                .. Enumerable.Range(0, reader.FieldCount).Select(i => reader.IsDBNull(i) ? null : reader.GetValue(i)),
            ]);
        return rows;
    }

    /// <summary>Runs a statement.</summary>
    public async Task<int> ExecuteAsync(string sql, params object[] values)
    {
        await using var command = Command(sql, values);
        return await command.ExecuteNonQueryAsync();
    }

    /// <summary>
    /// Keeps what each insert and update of a table writes from now on, in the table <c>&lt;table&gt;_history</c>: what
    /// is true for a moment only is looked at afterwards, however late the test comes.
    /// </summary>
    /// <param name="table">The table.</param>
    /// <param name="values">What is kept of a row, as a select list: <c>new.id, new.attempts</c>.</param>
    public Task KeepHistoryAsync(string table, string values) =>
        ExecuteAsync(
            $"""
            create table {table}_history as select {values} from {table} as new limit 0;
            create function keep_{table}() returns trigger language plpgsql security definer as
                $$begin insert into {table}_history select {values}; return null; end$$;
            create trigger kept after insert or update on {table} for each row execute function keep_{table}()
            """
        );

    /// <summary>
    /// Makes the server refuse new connections to it, whoever asks, and ends those that there are; or takes that back.
    /// </summary>
    public async Task AllowConnectionsAsync(bool allow)
    {
        await MaintainAsync($"alter database {_name} with allow_connections {allow}");
        if (!allow)
            await MaintainAsync($"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{_name}'");
        Source.Clear();
    }

    /// <summary>
    /// Creates a role that may log in and use every table as it is now; it is dropped with
    /// <see cref="TestRole.DisposeAsync"/>.
    /// </summary>
    public async Task<TestRole> CreateRoleAsync()
    {
        var role = new TestRole(this, $"r_{Guid.NewGuid():N}");
        await ExecuteAsync(
            $"""
            create role {role.Name} login password '{TestRole.Password}';
            grant all on all tables in schema public to {role.Name}; grant all on all sequences in schema public to {role.Name}
            """
        );
        return role;
    }

    /// <summary>Drops it, whoever is still connected.</summary>
    public async ValueTask DisposeAsync()
    {
        await Source.DisposeAsync();
        await MaintainAsync($"drop database {_name} with (force)");
    }

    private static async Task<TestDatabase> CreateAsync(string options)
    {
        var name = $"t_{Guid.NewGuid():N}";
        await MaintainAsync($"create database {name} {options}");
        return new TestDatabase(name, await ConnectionStringAsync(name));
    }

    private NpgsqlCommand Command(string sql, object[] values)
    {
        var command = Source.CreateCommand(sql);
        // A million rows at once take their time.
        command.CommandTimeout = 120;
        foreach (var value in values)
            command.Parameters.Add(new() { Value = value });
        return command;
    }

    private static async Task MakeTemplateAsync()
    {
        await using var connection = new NpgsqlConnection(await SharedServers.DatabaseAsync());
        await connection.OpenAsync();
        await RunAsync(connection, $"select pg_advisory_lock({TemplateLock})");
        try
        {
            await using var exists = new NpgsqlCommand(
                $"select exists (select from pg_database where datname = '{Template}')",
                connection
            );
            if (await exists.ExecuteScalarAsync() is true)
                return;

            var making = $"making_{Guid.NewGuid():N}";
            await RunAsync(connection, $"create database {making}");
            // Without a pool: nobody may be connected when it becomes a template.
            await using (
                var source = NpgsqlDataSource.Create(
                    new NpgsqlConnectionStringBuilder(await ConnectionStringAsync(making))
                    {
                        Pooling = false,
                    }.ConnectionString
                )
            )
            await using (
                var context = new OrdersDbContext(
                    (DbContextOptions<OrdersDbContext>)
                        OrdersStore.Configure(new DbContextOptionsBuilder<OrdersDbContext>(), source).Options
                )
            )
            {
                await context.Database.MigrateAsync();
                await context.Database.OpenConnectionAsync();
                await FrameworkSql.ApplyAsync(
                    (NpgsqlConnection)context.Database.GetDbConnection(),
                    CancellationToken.None
                );
            }

            // Under its name only when it is complete: a run that was killed in the middle leaves no half template.
            await RunAsync(connection, $"alter database {making} rename to {Template}");
        }
        finally
        {
            await RunAsync(connection, $"select pg_advisory_unlock({TemplateLock})");
        }
    }

    private static async Task MaintainAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(await SharedServers.DatabaseAsync());
        await connection.OpenAsync();
        await RunAsync(connection, sql);
    }

    private static async Task RunAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 120 };
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<string> ConnectionStringAsync(string name) =>
        new NpgsqlConnectionStringBuilder(await SharedServers.DatabaseAsync())
        {
            Database = name,
            MaxPoolSize = 30,
        }.ConnectionString;
}
