using System.Diagnostics;
using System.Globalization;
using Npgsql;
using Orders.Bench.Load.Accounting;
using Orders.Bench.Load.Reporting;
using Orders.Bench.Load.Servers;
using Orders.Bench.Load.Systems;

namespace Orders.Bench.Load;

/// <summary>
/// The relay alone: rows lie in the outbox, due, and one process takes, publishes, confirms and deletes them. All of it
/// the shipped code.
/// </summary>
public sealed class RelayRun(BenchOptions options, Folders folders, Action<string> progress)
{
    private const int WarmUpRows = 50_000;

    // Named, because others are made by the database and must not be written.
    private const string Columns = """
        id, message_id, exchange, routing_key, correlation_id, content_type, headers, body, mandatory, due_at, attempts
        """;

    // A row as an event of an order makes it: 0.4 kB of envelope, to a quorum queue.
    private const string Fill = $$"""
        insert into outbox ({{Columns}})
        select id, id, 'Orders.Contracts:OrderRejected', '', id::text, 'application/vnd.masstransit+json', '{}',
            convert_to(rpad('{"message":"', 400, 'x'), 'UTF8'), true, now(), 0
        from (select uuidv7() as id from generate_series(1, $1)) ids
        """;

    public async Task<RelayReport> RunAsync(CancellationToken cancel)
    {
        var (machine, commit) = (await Machine.DescribeAsync(), await Machine.CommitAsync());
        await using var servers = new RunningServers(folders);
        progress("starting PostgreSQL and RabbitMQ");
        await servers.StartAsync([OrdersSystem.Name], cancel);
        List<RelayFigures> rounds = [];
        for (var number = 1; number <= options.Rounds; number++)
        {
            var figures = await RoundAsync(servers, cancel);
            progress(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"[{number}/{options.Rounds}] {figures.RowsPerSecond:0} rows/s, {figures.MicrosecondsByGroup["relay"]:0.0} µs of the relay's CPU a row"
                )
            );
            rounds.Add(figures);
        }

        return new RelayReport(machine, commit, options.Rows, rounds);
    }

    private async Task<RelayFigures> RoundAsync(RunningServers servers, CancellationToken cancel)
    {
        var (prepare, program, ready) = OrdersSystem.RelayAlone(servers);
        await servers.RabbitMq.ResetAsync(cancel);
        var name = BenchSystem.DatabaseName(OrdersSystem.Name);
        await servers.Postgres.CreateDatabaseAsync(name, cancel);
        await prepare(cancel);
        await using var database = NpgsqlDataSource.Create(servers.Postgres.ConnectionString(name));
        await using var programs = new RunningPrograms([program], folders.Logs);
        using (var http = new HttpClient())
            await Deadline.UntilAsync(
                $"the relay to be ready at {ready}",
                TimeSpan.FromSeconds(60),
                async () => (await http.GetAsync(ready, cancel)).IsSuccessStatusCode,
                cancel
            );

        await FillAsync(database, WarmUpRows, cancel);
        await EmptyAsync(database, cancel);
        await FillAsync(database, options.Rows, cancel, andThen: () => servers.Postgres.CheckpointAsync(cancel));

        List<IResourceAccount> accounts = [.. programs.Accounts, servers.Postgres.Account, servers.RabbitMq.Account];
        await ReleaseAsync(database, cancel);
        var before = CpuReading.Of(accounts);
        var start = Stopwatch.GetTimestamp();
        await EmptyAsync(database, cancel);
        var took = Stopwatch.GetElapsedTime(start);
        var cpu = CpuReading.Of(accounts).Since(before);
        return new RelayFigures(
            options.Rows / took.TotalSeconds,
            cpu.ToDictionary(group => group.Key, group => group.Value.TotalMicroseconds / options.Rows)
        );
    }

    private static async Task FillAsync(
        NpgsqlDataSource database,
        int rows,
        CancellationToken cancel,
        Func<Task>? andThen = null
    )
    {
        await using var connection = await database.OpenConnectionAsync(cancel);
        if (andThen is null)
        {
            await ExecuteAsync(connection, Fill, cancel, rows);
            return;
        }

        // Filled while the relay cannot see it: the filling is not what is measured.
        await ExecuteAsync(connection, "create table waiting (like outbox including defaults)", cancel);
        await ExecuteAsync(
            connection,
            Fill.Replace("into outbox", "into waiting", StringComparison.Ordinal),
            cancel,
            rows
        );
        await andThen();
    }

    // Moved in one transaction: at its commit all rows are there at once.
    private static async Task ReleaseAsync(NpgsqlDataSource database, CancellationToken cancel)
    {
        await using var connection = await database.OpenConnectionAsync(cancel);
        await ExecuteAsync(connection, $"insert into outbox ({Columns}) select {Columns} from waiting", cancel);
    }

    private static async Task EmptyAsync(NpgsqlDataSource database, CancellationToken cancel)
    {
        await using var command = database.CreateCommand(
            "select not exists (select from outbox where dead_at is null and due_at <= now())"
        );
        await Deadline.UntilAsync(
            "the relay to empty the outbox",
            TimeSpan.FromMinutes(5),
            async () => (bool)(await command.ExecuteScalarAsync(cancel))!,
            cancel
        );
    }

    private static async Task ExecuteAsync(
        NpgsqlConnection connection,
        string sql,
        CancellationToken cancel,
        params object[] values
    )
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        foreach (var value in values)
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        await command.ExecuteNonQueryAsync(cancel);
    }
}
