using Npgsql;
using NpgsqlTypes;
using QueueWorkers.Steps;

namespace QueueWorkers.Monitoring.History;

/// <summary>
/// Writes the history: each finished minute from <c>step_runs</c> and <c>step_attempts</c>, each finished hour from its
/// minutes, and forgets what is old.
/// Every statement may be repeated and may run in several processes at once: the first row of a period stays.
/// </summary>
public sealed class HistoryKeeper(NpgsqlDataSource database)
{
    /// <summary>How long minutes are kept.</summary>
    public static readonly TimeSpan MinutesKept = TimeSpan.FromDays(2);

    /// <summary>How long hours are kept.</summary>
    public static readonly TimeSpan HoursKept = TimeSpan.FromDays(90);

    /// <summary>How far back minutes are made up for that nobody wrote, because no dashboard ran.</summary>
    public static readonly TimeSpan CatchUp = TimeSpan.FromHours(1);

    // A commit's time is its transaction's beginning: one that began in the minute may become visible a little later.
    private static readonly TimeSpan Settled = TimeSpan.FromSeconds(10);

    // Runs: the last attempt of what ended well, and each attempt that failed. What a step waited for between attempts
    // is in none of them.
    private static readonly string Minute = $"""
        with ended as (
            select step, status,
                case when status in ({StepStatus.Done:D}, {StepStatus.Rejected:D})
                    then {Slot("finished_at - attempt_started_at")} end as run,
                {Slot("started_at - queued_at")} as queue,
                case when status in ({StepStatus.Done:D}, {StepStatus.Rejected:D})
                    then {Slot("finished_at - queued_at")} end as total
            from step_runs where finished_at >= $1 and finished_at < $1 + interval '1 minute'
                and status in ({StepStatus.Done:D}, {StepStatus.Failed:D}, {StepStatus.Uncertain:D},
                {StepStatus.Rejected:D})),
        failed as (select step, {Slot("ended_at - started_at")} as run from step_attempts
            where ended_at >= $1 and ended_at < $1 + interval '1 minute'),
        runs as (select step, run as slot, count(*) as n
            from (select step, run from ended union all select step, run from failed) r group by step, run),
        queues as (select step, queue as slot, count(*) as n from ended group by step, queue),
        totals as (select step, total as slot, count(*) as n from ended group by step, total)
        insert into step_history (seconds, begins, step, done, failed, dead_lettered, run, queue, total)
        select 60, $1, c.step,
               (select count(*) from ended e where e.step = c.step
                   and e.status in ({StepStatus.Done:D}, {StepStatus.Rejected:D})),
               (select count(*) from failed f where f.step = c.step),
               (select count(*) from ended e where e.step = c.step
                   and e.status in ({StepStatus.Failed:D}, {StepStatus.Uncertain:D})),
               {Slots("runs")}, {Slots("queues")}, {Slots("totals")}
        from step_catalogue c where c.active
        on conflict do nothing
        """;

    // Slot by slot: "with ordinality" numbers the elements of each minute's array.
    private static readonly string Hour = $"""
        with minutes as (select * from step_history where seconds = 60 and begins >= $1
            and begins < $1 + interval '1 hour'),
        {SumOf("run")}, {SumOf("queue")}, {SumOf("total")}
        insert into step_history (seconds, begins, step, done, failed, dead_lettered, run, queue, total)
        select 3600, $1, m.step, sum(m.done), sum(m.failed), sum(m.dead_lettered),
            {Summed("run")}, {Summed("queue")}, {Summed("total")}
        from minutes m group by m.step
        on conflict do nothing
        """;

    private const string Newest = "select max(begins) from step_history where seconds = $1";

    private const string Forget = "delete from step_history where seconds = $1 and begins < $2";

    /// <summary>Writes what is due.</summary>
    /// <param name="now">The present.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="NpgsqlException">The database cannot be asked; what is missing is made up for next
    /// time.</exception>
    public async Task KeepAsync(DateTimeOffset now, CancellationToken cancellationToken)
    {
        await FillAsync(Minute, TimeSpan.FromMinutes(1), CatchUp, now - Settled, cancellationToken);
        await FillAsync(
            Hour,
            TimeSpan.FromHours(1),
            TimeSpan.FromDays(1),
            now - Settled - TimeSpan.FromMinutes(2),
            cancellationToken
        );
        await ExecuteAsync(Forget, [new() { Value = 60 }, Time(now - MinutesKept)], cancellationToken);
        await ExecuteAsync(Forget, [new() { Value = 3600 }, Time(now - HoursKept)], cancellationToken);
    }

    private static string Slot(string duration) =>
        $"case when {duration} is not null then {DurationSlots.Sql($"extract(epoch from {duration})")} end";

    private static string Slots(string counted) =>
        $"array(select coalesce((select n from {counted} t where t.step = c.step and t.slot = s), 0)::int"
        + $" from generate_series(0, {DurationSlots.Count - 1}) s)";

    private static string SumOf(string column) =>
        $"{column}_sums as (select step, i, sum(n) as n"
        + $" from minutes, unnest({column}) with ordinality as t(n, i) group by step, i)";

    private static string Summed(string column) =>
        $"(select array_agg(n::int order by i) from {column}_sums t where t.step = m.step)";

    private async Task FillAsync(
        string sql,
        TimeSpan period,
        TimeSpan catchUp,
        DateTimeOffset until,
        CancellationToken cancellationToken
    )
    {
        DateTimeOffset? newest;
        await using (var command = database.CreateCommand(Newest))
        {
            command.Parameters.Add(new() { Value = (int)period.TotalSeconds });
            newest = await command.ExecuteScalarAsync(cancellationToken) is DateTime time
                ? new DateTimeOffset(time, TimeSpan.Zero)
                : null;
        }

        var from = Floor(until - catchUp, period);
        if (newest is { } last && last + period > from)
            from = last + period;
        for (; from + period <= until; from += period)
            await ExecuteAsync(sql, [Time(from)], cancellationToken);
    }

    private async Task ExecuteAsync(string sql, NpgsqlParameter[] parameters, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(sql);
        command.Parameters.AddRange(parameters);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static DateTimeOffset Floor(DateTimeOffset time, TimeSpan period) =>
        new(time.UtcTicks - (time.UtcTicks % period.Ticks), TimeSpan.Zero);

    private static NpgsqlParameter Time(DateTimeOffset time) =>
        new() { Value = time.ToUniversalTime(), NpgsqlDbType = NpgsqlDbType.TimestampTz };
}
