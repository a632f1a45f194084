using System.Data;
using Npgsql;
using QueueWorkers.Data;
using QueueWorkers.FlowControl;
using QueueWorkers.FlowControl.CircuitBreakers;
using QueueWorkers.FlowControl.Workers;
using QueueWorkers.Hosting;
using QueueWorkers.Scheduling.Changeable;

namespace QueueWorkers.Monitoring;

/// <summary>
/// Reads what stands in the way of steps: pauses, breakers that are not closed, drained workers, open gaps of the
/// completeness check, schedules that do not fire, and how many database connections there are. Tables of a few rows, in
/// one round trip.
/// </summary>
public sealed class BlockerReader(NpgsqlDataSource database, DatabaseOptions options)
{
    /// <summary>Gaps are counted up to here: more are as bad.</summary>
    public const int MostCounted = 10_000;

    private const string Paused = "select step, changed_by, reason, changed_at from step_controls where paused";

    private const string Down = """
        select b.dependency, coalesce(b.forced, b.state) as state, b.forced is not null as forced, b.opened_at, b.retry_at, b.reason,
            coalesce((select array_agg(c.step order by c.position) from step_catalogue c
            where c.active and c.depends_on = b.dependency), '{}') as steps
        from breakers b where coalesce(b.forced, b.state) <> 0 order by b.dependency
        """;

    private static readonly string Drained = $"""
        select id, host, steps, drain_by, drain_reason, drain_asked_at from workers
        where drain_asked_at is not null and stopped_at is null
            and last_seen_at > now() - interval '{Worker.LifeSign.TotalSeconds} seconds' order by drain_asked_at, id
        """;

    // One that was started again on its host is not lost, and after a quarter of an hour nobody looks for it here any
    // more.
    private static readonly string Lost = $"""
        select id, host, steps, last_seen_at from workers w
        where stopped_at is null and last_seen_at <= now() - interval '{Worker.LifeSign.TotalSeconds} seconds'
            and last_seen_at > now() - interval '15 minutes'
            and not exists (select from workers n where n.host = w.host and n.steps = w.steps
                and n.started_at > w.started_at)
        order by last_seen_at, id limit 20
        """;

    private static readonly string Gaps =
        $"select count(*) from (select from completeness_gaps where closed_at is null limit {MostCounted}) counted";

    private static readonly string Connections = $"""
        select (select sum(numbackends)::int from pg_stat_database) as open, count(*)::int as workers,
            coalesce(sum(max_connections), 0)::int as reserved,
            current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int -
                current_setting('reserved_connections')::int as available
        from workers where stopped_at is null and last_seen_at > now() - interval
            '{Worker.LifeSign.TotalSeconds} seconds'
        """;

    /// <summary>Reads it.</summary>
    /// <exception cref="NpgsqlException">The database cannot be read.</exception>
    public async Task<Standing> ReadAsync(CancellationToken cancellationToken)
    {
        await using var batch = database.CreateBatch();
        foreach (var sql in (string[])[Paused, Down, Gaps, Drained, Lost, Connections, UnusableSchedule.Look])
            batch.BatchCommands.Add(new NpgsqlBatchCommand(sql));
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        var paused = new Dictionary<string, PausedStep>();
        while (await reader.ReadAsync(cancellationToken))
            paused[reader.GetString("step")] = new PausedStep(
                reader.GetString("changed_by"),
                reader.GetString("reason"),
                reader.GetFieldValue<DateTimeOffset>("changed_at")
            );

        await reader.NextResultAsync(cancellationToken);
        var down = new List<DownDependency>();
        while (await reader.ReadAsync(cancellationToken))
        {
            down.Add(
                new DownDependency(
                    reader.GetString("dependency"),
                    (BreakerState)reader.GetInt16("state"),
                    reader.GetBoolean("forced"),
                    reader.Optional<DateTimeOffset>("opened_at"),
                    reader.Optional<DateTimeOffset>("retry_at"),
                    reader.GetString("reason"),
                    reader.GetFieldValue<string[]>("steps")
                )
            );
        }

        await reader.NextResultAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        var gaps = reader.GetInt64(0);

        await reader.NextResultAsync(cancellationToken);
        var drained = new List<DrainedWorker>();
        while (await reader.ReadAsync(cancellationToken))
            drained.Add(
                new DrainedWorker(
                    reader.GetGuid("id"),
                    reader.GetString("host"),
                    reader.GetFieldValue<string[]>("steps"),
                    reader.GetString("drain_by"),
                    reader.GetString("drain_reason"),
                    reader.GetFieldValue<DateTimeOffset>("drain_asked_at")
                )
            );

        await reader.NextResultAsync(cancellationToken);
        var lost = new List<LostWorker>();
        while (await reader.ReadAsync(cancellationToken))
            lost.Add(
                new LostWorker(
                    reader.GetGuid("id"),
                    reader.GetString("host"),
                    reader.GetFieldValue<string[]>("steps"),
                    reader.GetFieldValue<DateTimeOffset>("last_seen_at")
                )
            );

        await reader.NextResultAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        var connections = new DatabaseConnections(
            reader.GetInt32("open"),
            new ConnectionBudget(reader.GetInt32("workers"), reader.GetInt32("reserved"), reader.GetInt32("available")),
            options.Reserve,
            options.Pooler
        );

        await reader.NextResultAsync(cancellationToken);
        var schedules = new List<UnusableSchedule>();
        while (await reader.ReadAsync(cancellationToken))
        {
            if (UnusableSchedule.Of(reader) is { } unusable)
                schedules.Add(unusable);
        }

        return new Standing(paused, down, gaps)
        {
            Drained = drained,
            Lost = lost,
            Connections = connections,
            Schedules = schedules,
        };
    }
}

/// <summary>What stands in the way of steps.</summary>
/// <param name="Paused">Steps that are paused.</param>
/// <param name="Down">Dependencies that are not called, or only tried.</param>
/// <param name="Gaps">Accepted subjects that lack an effect after their deadline, or have one twice; up to
/// <see cref="BlockerReader.MostCounted"/>.</param>
public sealed record Standing(
    IReadOnlyDictionary<string, PausedStep> Paused,
    IReadOnlyList<DownDependency> Down,
    long Gaps
)
{
    /// <summary>Living workers that were asked to take nothing more.</summary>
    public IReadOnlyList<DrainedWorker> Drained { get; init; } = [];

    /// <summary>
    /// Workers that have stopped reporting without saying that they stop: they died, or cannot use the database.
    /// </summary>
    public IReadOnlyList<LostWorker> Lost { get; init; } = [];

    /// <summary>Schedules of operators that do not fire, and are not paused.</summary>
    public IReadOnlyList<UnusableSchedule> Schedules { get; init; } = [];

    /// <summary>Database connections; null until they were read.</summary>
    public DatabaseConnections? Connections { get; init; }

    /// <summary>Nothing.</summary>
    public static Standing Clear { get; } = new(new Dictionary<string, PausedStep>(), [], 0);

    /// <summary>What a step needs and cannot have; null when nothing.</summary>
    public DownDependency? DownFor(string step) => Down.FirstOrDefault(d => d.Steps.Contains(step));
}

/// <summary>A paused step.</summary>
/// <param name="By">Who paused it.</param>
/// <param name="Reason">Why.</param>
/// <param name="At">When that was last changed.</param>
public sealed record PausedStep(string By, string Reason, DateTimeOffset At);

/// <summary>A worker that was asked to take nothing more.</summary>
/// <param name="Id">The process.</param>
/// <param name="Host">Where it runs.</param>
/// <param name="Steps">Its steps.</param>
/// <param name="By">Who asked.</param>
/// <param name="Reason">Why.</param>
/// <param name="At">When.</param>
public sealed record DrainedWorker(
    Guid Id,
    string Host,
    IReadOnlyList<string> Steps,
    string By,
    string Reason,
    DateTimeOffset At
);

/// <summary>A worker that has stopped reporting.</summary>
/// <param name="Id">The process.</param>
/// <param name="Host">Where it runs.</param>
/// <param name="Steps">Its steps.</param>
/// <param name="SeenAt">When it reported last.</param>
public sealed record LostWorker(Guid Id, string Host, IReadOnlyList<string> Steps, DateTimeOffset SeenAt);

/// <summary>A dependency whose breaker is not closed.</summary>
/// <param name="Name">Its name.</param>
/// <param name="State">Open or half open.</param>
/// <param name="Forced">Whether an operator holds it so.</param>
/// <param name="OpenedAt">Since when; null when an operator holds it open that was well.</param>
/// <param name="RetryAt">When it is tried next; null when it is not.</param>
/// <param name="Reason">Why, in a sentence.</param>
/// <param name="Steps">The steps that need it.</param>
public sealed record DownDependency(
    string Name,
    BreakerState State,
    bool Forced,
    DateTimeOffset? OpenedAt,
    DateTimeOffset? RetryAt,
    string Reason,
    IReadOnlyList<string> Steps
);
