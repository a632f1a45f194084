using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using QueueWorkers.FlowControl.CircuitBreakers;
using QueueWorkers.FlowControl.Workers;
using QueueWorkers.Steps;

namespace QueueWorkers.FlowControl;

/// <summary>The poll's statements, sent together: one round trip and, while nothing is the matter, no write but the process's own report.</summary>
internal sealed class ControlQueries(NpgsqlDataSource database)
{
    private const string Report = """
        insert into workers (id, host, process_id, version, steps, running, started_at, runs, last_seen_at) values ($1, $2, $3, $4, $5, $6, $7, $8::text::jsonb, now())
        on conflict (id) do update set running = excluded.running, runs = excluded.runs, last_seen_at = now(), stopped_at = null,
            drained_at = case when not $9 then null when workers.drained_at >= workers.drain_asked_at then workers.drained_at else now() end
        """;

    private const string ReadDrain = "select drain_by, drain_reason from workers where id = $1 and drain_asked_at is not null";

    private const string AddBuild = "insert into step_builds (step, build) select unnest($1::text[]), $2 on conflict do nothing";

    private const string ForgetOldWorkers = "delete from workers where last_seen_at < now() - interval '1 day'";

    private const string Stopped = "update workers set stopped_at = now(), running = 0, runs = '[]', last_seen_at = now() where id = $1";

    private const string AddBreakers = "insert into breakers (dependency, state, trips) select unnest($1::text[]), 0, 0 on conflict do nothing";

    private const string ReportCalls = """
        insert into dependency_calls (dependency, slice, calls, failures) values ($1, date_bin('1 second', now(), 'epoch'), $2, $3)
        on conflict (dependency, slice) do update set calls = dependency_calls.calls + excluded.calls, failures = dependency_calls.failures + excluded.failures
        """;

    private const string ForgetOldCalls = "delete from dependency_calls where dependency = $1 and slice < now() - $2::interval";

    // State Closed: the first replica to see it opens the breaker, the others find it open. The reason carries the figures, for the operator.
    private static readonly string Judge = $"""
        update breakers b set state = {BreakerState.Open:D}, opened_at = now(), changed_at = now(), retry_at = now() + $5::interval, trips = 1, probe_by = null, probe_until = null,
            reason = format('%s of %s calls failed', w.failures, w.calls)
        from (select coalesce(sum(calls), 0) as calls, coalesce(sum(failures), 0) as failures from dependency_calls where dependency = $1 and slice > now() - $2::interval) w
        where b.dependency = $1 and b.state = {BreakerState.Closed:D} and w.calls >= $3 and w.failures >= $4 * w.calls
        """;

    // A trial that is mine stays mine while I live; one of a process that does not renew it any more is anybody's.
    private static readonly string TakeTrial = $"""
        update breakers set state = {BreakerState.HalfOpen:D}, probe_by = $2, probe_until = now() + interval '10 seconds', changed_at = case when state = {BreakerState.HalfOpen:D} then changed_at else now() end
        where dependency = $1 and forced is null and (state = {BreakerState.Open:D} and retry_at <= now() or state = {BreakerState.HalfOpen:D} and (probe_by = $2 or probe_until < now()))
        """;

    private static readonly string EndTrialWell = $"""
        with closed as (
            update breakers set state = {BreakerState.Closed:D}, trips = 0, opened_at = null, retry_at = null, probe_by = null, probe_until = null, changed_at = now(), reason = 'a trial message got through'
            where dependency = $1 and state = {BreakerState.HalfOpen:D} and probe_by = $2 returning dependency)
        delete from dependency_calls where dependency in (select dependency from closed)
        """;

    private static readonly string EndTrialBadly = $"""
        update breakers set state = {BreakerState.Open:D}, trips = trips + 1, retry_at = now() + least($4::interval, $3::interval * power(2, least(trips, 20))), probe_by = null, probe_until = null,
            changed_at = now(), reason = $5
        where dependency = $1 and state = {BreakerState.HalfOpen:D} and probe_by = $2
        """;

    private const string ReadControls = "select step, paused, replica_limit, total_limit, rates, changed_by, reason from step_controls where step = any($1)";

    private const string ReadBreakers = """
        select b.dependency, b.state, b.forced, b.opened_at, b.retry_at, b.probe_by, b.reason,
            exists (select from dependency_calls c where c.dependency = b.dependency and c.failures > 0 and c.slice > now() - interval '20 seconds')
        from breakers b where b.dependency = any($1)
        """;

    // One that is drained leaves its share of a common limit to the others, once it has said itself that nothing runs there any more.
    private const string ReadReplicas = """
        select s, count(*)::int, count(*) filter (where id < $1)::int from workers, unnest(steps) as s
        where stopped_at is null and last_seen_at > now() - $2::interval and s = any($3) and not coalesce(drained_at >= drain_asked_at, false) group by s
        """;

    /// <summary>Reports and reads.</summary>
    /// <param name="me">This process; its report is written when it is due.</param>
    /// <param name="isDue">Whether it is.</param>
    /// <param name="isDry">Whether it is drained and has nothing left.</param>
    /// <param name="calls">Calls to report.</param>
    /// <param name="trials">Dependencies of which this process would make the trial.</param>
    /// <param name="dependencies">All dependencies of this process.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public async Task<ControlState> PollAsync(
        Worker me, bool isDue, bool isDry, IReadOnlyList<(Dependency Dependency, int Calls, int Failures)> calls, IReadOnlyList<string> trials, string[] dependencies, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var batch = new NpgsqlBatch(connection);
        if (isDue)
            Add(batch, Report, me.Id, me.Host, me.ProcessId, me.Version, me.Steps, me.Running, me.StartedAt, JsonSerializer.Serialize(me.Runs, JsonSerializerOptions.Web), isDry);
        foreach (var (dependency, count, failures) in calls)
        {
            Add(batch, ReportCalls, dependency.Name, count, failures);
            Add(batch, ForgetOldCalls, dependency.Name, dependency.Window * 2);
            Add(batch, Judge, dependency.Name, dependency.Window, dependency.MinimumCalls, dependency.FailureRatio, dependency.Cooldown);
        }

        foreach (var name in trials)
            Add(batch, TakeTrial, name, me.Id);
        Add(batch, ReadControls, (object)me.Steps);
        Add(batch, ReadReplicas, me.Id, Worker.LifeSign, me.Steps);
        Add(batch, ReadBreakers, (object)dependencies);
        Add(batch, ReadDrain, me.Id);
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        return await ReadAsync(reader, cancellationToken);
    }

    /// <summary>Makes sure that the breakers of this process have rows, marks the deployment if its build is new, and forgets processes of long ago.</summary>
    public async Task BeginAsync(Worker me, string[] dependencies, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var batch = new NpgsqlBatch(connection);
        Add(batch, ForgetOldWorkers);
        // In one order, as the breakers below: processes that start together would else wait for one another in a circle.
        Add(batch, AddBuild, me.Steps.Order(StringComparer.Ordinal).ToArray(), me.Version);
        if (dependencies.Length > 0)
            Add(batch, AddBreakers, (object)dependencies.Order(StringComparer.Ordinal).ToArray());
        await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    public Task StoppedAsync(Guid me, CancellationToken cancellationToken) => ExecuteAsync(Stopped, [me], cancellationToken);

    public Task TrialSucceededAsync(Dependency dependency, Guid me, CancellationToken cancellationToken) => ExecuteAsync(EndTrialWell, [dependency.Name, me], cancellationToken);

    public Task TrialFailedAsync(Dependency dependency, Guid me, string fault, CancellationToken cancellationToken) =>
        ExecuteAsync(EndTrialBadly, [dependency.Name, me, dependency.Cooldown, dependency.LongestCooldown, fault], cancellationToken);

    private static async Task<ControlState> ReadAsync(NpgsqlDataReader reader, CancellationToken cancellationToken)
    {
        // Statements that write return no rows and no result of their own: the first result is that of the first query.
        var steps = new Dictionary<string, StepControl>();
        while (await reader.ReadAsync(cancellationToken))
        {
            steps[reader.GetString(0)] = new StepControl
            {
                Step = reader.GetString(0), Paused = reader.GetBoolean(1), ReplicaLimit = Optional<int>(reader, 2), TotalLimit = Optional<int>(reader, 3),
                Rates = reader.IsDBNull(4) ? null : reader.GetString(4), ChangedBy = reader.GetString(5), Reason = reader.GetString(6),
            };
        }

        await reader.NextResultAsync(cancellationToken);
        var replicas = new Dictionary<string, (int, int)>();
        while (await reader.ReadAsync(cancellationToken))
            replicas[reader.GetString(0)] = (reader.GetInt32(1), reader.GetInt32(2));

        await reader.NextResultAsync(cancellationToken);
        var breakers = new Dictionary<string, Breaker>();
        var troubled = new HashSet<string>();
        while (await reader.ReadAsync(cancellationToken))
        {
            breakers[reader.GetString(0)] = new Breaker
            {
                Dependency = reader.GetString(0), State = (BreakerState)reader.GetInt16(1), Forced = (BreakerState?)Optional<short>(reader, 2),
                OpenedAt = Optional<DateTimeOffset>(reader, 3), RetryAt = Optional<DateTimeOffset>(reader, 4), ProbeBy = Optional<Guid>(reader, 5), Reason = reader.GetString(6),
            };
            if (reader.GetBoolean(7))
                troubled.Add(reader.GetString(0));
        }

        await reader.NextResultAsync(cancellationToken);
        var drain = await reader.ReadAsync(cancellationToken) ? new WorkerDrain(reader.GetString(0), reader.GetString(1)) : null;
        return new ControlState(steps, breakers, replicas, troubled, drain);
    }

    private static T? Optional<T>(NpgsqlDataReader reader, int column)
        where T : struct => reader.IsDBNull(column) ? null : reader.GetFieldValue<T>(column);

    private async Task ExecuteAsync(string sql, object[] parameters, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(sql);
        AddTo(command.Parameters, parameters);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static void Add(NpgsqlBatch batch, string sql, params object[] parameters)
    {
        var command = new NpgsqlBatchCommand(sql);
        AddTo(command.Parameters, parameters);
        batch.BatchCommands.Add(command);
    }

    private static void AddTo(NpgsqlParameterCollection collection, object[] parameters)
    {
        foreach (var value in parameters)
        {
            var parameter = new NpgsqlParameter { Value = value };
            if (value is DateTimeOffset)
                parameter.NpgsqlDbType = NpgsqlDbType.TimestampTz;
            collection.Add(parameter);
        }
    }
}
