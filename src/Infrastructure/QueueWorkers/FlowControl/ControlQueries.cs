using System.Diagnostics;
using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using QueueWorkers.Clocks;
using QueueWorkers.FlowControl.CircuitBreakers;
using QueueWorkers.FlowControl.Workers;
using QueueWorkers.Steps;

namespace QueueWorkers.FlowControl;

/// <summary>
/// The poll's statements, sent together: one round trip and, while nothing is the matter, no write but the process's
/// own report.
/// </summary>
internal sealed class ControlQueries(NpgsqlDataSource database)
{
    private const string Report = """
        insert into workers (id, host, process_id, version, steps, running, started_at, runs, max_connections,
            last_seen_at) values ($1, $2, $3, $4, $5, $6, least($7, now()), $8::text::jsonb, $10, now())
        on conflict (id) do update set running = excluded.running, runs = excluded.runs, last_seen_at = now(),
            stopped_at = null,
            drained_at = case when not $9 then null when workers.drained_at >= workers.drain_asked_at
                then workers.drained_at else now() end
        """;

    private const string AddBuild =
        "insert into step_builds (step, build) select unnest($1::text[]), $2 on conflict do nothing";

    private const string ForgetOldWorkers = "delete from workers where last_seen_at < now() - interval '1 day'";

    private const string Stopped =
        "update workers set stopped_at = now(), running = 0, runs = '[]', last_seen_at = now() where id = $1";

    private const string AddBreakers =
        "insert into breakers (dependency, state, trips) select unnest($1::text[]), 0, 0 on conflict do nothing";

    private const string ReportCalls = """
        insert into dependency_calls (dependency, slice, calls, failures)
            values ($1, date_bin('1 second', now(), 'epoch'), $2, $3)
        on conflict (dependency, slice) do update set calls = dependency_calls.calls + excluded.calls,
            failures = dependency_calls.failures + excluded.failures
        """;

    private const string ForgetOldCalls =
        "delete from dependency_calls where dependency = $1 and slice < now() - $2::interval";

    // State Closed: the first replica to see it opens the breaker, the others find it open. The reason carries the
    // figures, for the operator.
    private static readonly string Judge = $"""
        update breakers b set state = {BreakerState.Open:D}, opened_at = now(), changed_at = now(),
            retry_at = now() + $5::interval, trips = 1, probe_by = null, probe_until = null,
            reason = format('%s of %s calls failed', w.failures, w.calls)
        from (select coalesce(sum(calls), 0) as calls, coalesce(sum(failures), 0) as failures from dependency_calls
            where dependency = $1 and slice > now() - $2::interval) w
        where b.dependency = $1 and b.state = {BreakerState.Closed:D} and w.calls >= $3 and w.failures >= $4 * w.calls
        """;

    // A trial that is mine stays mine while I live; one of a process that does not renew it any more is anybody's.
    private static readonly string TakeTrial = $"""
        update breakers set state = {BreakerState.HalfOpen:D}, probe_by = $2,
            probe_until = now() + interval '10 seconds',
            changed_at = case when state = {BreakerState.HalfOpen:D} then changed_at else now() end
        where dependency = $1 and forced is null and (state = {BreakerState.Open:D} and retry_at <= now()
            or state = {BreakerState.HalfOpen:D} and (probe_by = $2 or probe_until < now()))
        """;

    private static readonly string EndTrialWell = $"""
        with closed as (
            update breakers set state = {BreakerState.Closed:D}, trips = 0, opened_at = null, retry_at = null,
                probe_by = null, probe_until = null, changed_at = now(), reason = 'a trial message got through'
            where dependency = $1 and state = {BreakerState.HalfOpen:D} and probe_by = $2 returning dependency)
        delete from dependency_calls where dependency in (select dependency from closed)
        """;

    private static readonly string EndTrialBadly = $"""
        update breakers set state = {BreakerState.Open:D}, trips = trips + 1,
            retry_at = now() + least($4::interval, $3::interval * power(2, least(trips, 20))), probe_by = null,
            probe_until = null,
            changed_at = now(), reason = $5
        where dependency = $1 and state = {BreakerState.HalfOpen:D} and probe_by = $2
        """;

    // Everything in one statement: an idle process asks nothing else. Its parameters are those of the report, then the
    // dependencies and the age up to which a process counts as living.
    // A replica that is drained leaves its share of a common limit to the others, once it has said itself that nothing
    // runs there any more.
    private const string Read = """
        select
            (select jsonb_agg(jsonb_build_object('step', step, 'paused', paused, 'replicaLimit', replica_limit,
                'totalLimit', total_limit, 'rates', rates, 'changedBy', changed_by, 'reason', reason))
                from step_controls where step = any($5)),
            (select jsonb_agg(jsonb_build_object('dependency', b.dependency, 'state', b.state, 'forced', b.forced,
                'openedAt', b.opened_at, 'retryAt', b.retry_at, 'probeBy', b.probe_by, 'reason', b.reason))
                from breakers b where b.dependency = any($11)),
            (select array_agg(distinct dependency) from dependency_calls
                where dependency = any($11) and failures > 0 and slice > now() - interval '20 seconds'),
            (select jsonb_agg(jsonb_build_object('step', s, 'count', count, 'rank', rank)) from (
                select s, count(*) as count, count(*) filter (where id < $1) as rank from workers, unnest(steps) as s
                where stopped_at is null and (id = $1 or last_seen_at > now() - $12::interval) and s = any($5)
                    and not coalesce(drained_at >= drain_asked_at, false) group by s) r),
            (select jsonb_build_object('by', drain_by, 'reason', drain_reason) from workers
                where id = $1 and drain_asked_at is not null),
            living.processes, living.connections, current_setting('max_connections')::int -
                current_setting('superuser_reserved_connections')::int - current_setting('reserved_connections')::int,
            (select jsonb_agg(jsonb_build_object('messageId', message_id, 'step', step)) from suspects
                where step = any($5)),
            clock_timestamp()
        from (select count(*)::int as processes, coalesce(sum(max_connections), 0)::int as connections from workers
            where stopped_at is null and (id = $1 or last_seen_at > now() - $12::interval)) living
        """;

    private const string ReportAndRead = $"with report as ({Report}) {Read}";

    /// <summary>Reports and reads.</summary>
    /// <param name="me">This process; its report is written when it is due.</param>
    /// <param name="isDue">Whether it is.</param>
    /// <param name="isDry">Whether it is drained and has nothing left.</param>
    /// <param name="calls">Calls to report.</param>
    /// <param name="trials">Dependencies of which this process would make the trial.</param>
    /// <param name="dependencies">All dependencies of this process.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public async Task<ControlState> PollAsync(
        Worker me,
        bool isDue,
        bool isDry,
        IReadOnlyList<(Dependency Dependency, int Calls, int Failures)> calls,
        IReadOnlyList<string> trials,
        string[] dependencies,
        CancellationToken cancellationToken
    )
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var batch = new NpgsqlBatch(connection);
        foreach (var (dependency, count, failures) in calls)
        {
            Add(batch, ReportCalls, dependency.Name, count, failures);
            Add(batch, ForgetOldCalls, dependency.Name, dependency.Window * 2);
            Add(
                batch,
                Judge,
                dependency.Name,
                dependency.Window,
                dependency.MinimumCalls,
                dependency.FailureRatio,
                dependency.Cooldown
            );
        }

        foreach (var name in trials)
            Add(batch, TakeTrial, name, me.Id);
        Add(batch, isDue ? ReportAndRead : Read, [.. ReportOf(me, isDry), dependencies, Worker.LifeSign]);
        var asked = Stopwatch.GetTimestamp();
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        return await ReadAsync(reader, asked, cancellationToken);
    }

    /// <summary>
    /// Makes sure that the breakers of this process have rows, marks the deployment if its build is new, and forgets
    /// processes of long ago.
    /// </summary>
    public async Task BeginAsync(Worker me, string[] dependencies, CancellationToken cancellationToken)
    {
        // Its row comes first: the poll's own statement does not see what it writes itself.
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var batch = new NpgsqlBatch(connection);
        Add(batch, ForgetOldWorkers);
        Add(batch, Report, ReportOf(me, isDry: false));
        // In one order, as the breakers below: processes that start together would else wait for one another in a
        // circle.
        Add(batch, AddBuild, me.Steps.Order(StringComparer.Ordinal).ToArray(), me.Version);
        if (dependencies.Length > 0)
            Add(batch, AddBreakers, (object)dependencies.Order(StringComparer.Ordinal).ToArray());
        await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    public Task StoppedAsync(Guid me, CancellationToken cancellationToken) =>
        ExecuteAsync(Stopped, [me], cancellationToken);

    public Task TrialSucceededAsync(Dependency dependency, Guid me, CancellationToken cancellationToken) =>
        ExecuteAsync(EndTrialWell, [dependency.Name, me], cancellationToken);

    public Task TrialFailedAsync(Dependency dependency, Guid me, string fault, CancellationToken cancellationToken) =>
        ExecuteAsync(
            EndTrialBadly,
            [dependency.Name, me, dependency.Cooldown, dependency.LongestCooldown, fault],
            cancellationToken
        );

    private static async Task<ControlState> ReadAsync(
        NpgsqlDataReader reader,
        long asked,
        CancellationToken cancellationToken
    )
    {
        // Statements that write return no rows and no result of their own: the first result is that of the query.
        await reader.ReadAsync(cancellationToken);
        DatabaseClock.Answered(reader.GetValue(9), asked);
        var replicas = Array<Replicas>(reader, 3).ToDictionary(r => r.Step, r => (r.Count, r.Rank));
        var troubled = reader.IsDBNull(2) ? [] : reader.GetFieldValue<string[]>(2).ToHashSet();
        return new ControlState(
            Array<StepControl>(reader, 0).ToDictionary(c => c.Step),
            Array<Breaker>(reader, 1).ToDictionary(b => b.Dependency),
            replicas,
            troubled,
            reader.IsDBNull(4)
                ? null
                : JsonSerializer.Deserialize<WorkerDrain>(reader.GetString(4), JsonSerializerOptions.Web)
        )
        {
            Budget = new ConnectionBudget(reader.GetInt32(5), reader.GetInt32(6), reader.GetInt32(7)),
            Suspects = System.Array.ConvertAll(Array<SuspectKey>(reader, 8), s => (s.MessageId, s.Step)),
        };
    }

    private static T[] Array<T>(NpgsqlDataReader reader, int column) =>
        reader.IsDBNull(column)
            ? []
            : JsonSerializer.Deserialize<T[]>(reader.GetString(column), JsonSerializerOptions.Web) ?? [];

    private static object[] ReportOf(Worker me, bool isDry) =>
        [
            me.Id,
            me.Host,
            me.ProcessId,
            me.Version,
            me.Steps,
            me.Running,
            me.StartedAt,
            JsonSerializer.Serialize(me.Runs, JsonSerializerOptions.Web),
            isDry,
            me.MaxConnections,
        ];

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

    private sealed record Replicas(string Step, int Count, int Rank);

    private sealed record SuspectKey(Guid MessageId, string Step);
}
