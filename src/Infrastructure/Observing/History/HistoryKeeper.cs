using Npgsql;
using NpgsqlTypes;

namespace Orders.Infrastructure.Observing.History;

/// <summary>
/// Writes the history: each finished minute from <c>step_runs</c> and <c>step_attempts</c>, each finished hour from its minutes, and forgets what is old.
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

    private static readonly string Minute = $"""
        with ended as (
            select step, status, {DurationSlots.Sql("extract(epoch from finished_at - started_at)")} as run,
                   case when started_at is not null then {DurationSlots.Sql("extract(epoch from started_at - uuid_extract_timestamp(subject_id))")} end as wait
            from step_runs where finished_at >= $1 and finished_at < $1 + interval '1 minute' and status in (2, 4, 5, 7)),
        runs as (select step, run, count(*) as n from ended where status in (2, 7) group by step, run),
        waits as (select step, wait, count(*) as n from ended where wait is not null group by step, wait),
        failed as (select step, count(*) as n from step_attempts where ended_at >= $1 and ended_at < $1 + interval '1 minute' group by step)
        insert into step_history (seconds, begins, step, done, failed, parked, run, wait)
        select 60, $1, c.step,
               (select count(*) from ended e where e.step = c.step and e.status in (2, 7)),
               coalesce((select n from failed f where f.step = c.step), 0),
               (select count(*) from ended e where e.step = c.step and e.status in (4, 5)),
               array(select coalesce((select n from runs r where r.step = c.step and r.run = s), 0)::int from generate_series(0, {DurationSlots.Count - 1}) s),
               array(select coalesce((select n from waits w where w.step = c.step and w.wait = s), 0)::int from generate_series(0, {DurationSlots.Count - 1}) s)
        from step_catalogue c where c.active
        on conflict do nothing
        """;

    // Slot by slot: "with ordinality" numbers the elements of each minute's array.
    private const string Hour = """
        with minutes as (select * from step_history where seconds = 60 and begins >= $1 and begins < $1 + interval '1 hour'),
        runs as (select step, i, sum(n) as n from minutes, unnest(run) with ordinality as t(n, i) group by step, i),
        waits as (select step, i, sum(n) as n from minutes, unnest(wait) with ordinality as t(n, i) group by step, i)
        insert into step_history (seconds, begins, step, done, failed, parked, run, wait)
        select 3600, $1, m.step, sum(m.done), sum(m.failed), sum(m.parked),
               (select array_agg(n::int order by i) from runs r where r.step = m.step), (select array_agg(n::int order by i) from waits w where w.step = m.step)
        from minutes m group by m.step
        on conflict do nothing
        """;

    private const string Newest = "select max(begins) from step_history where seconds = $1";

    private const string Forget = "delete from step_history where seconds = $1 and begins < $2";

    /// <summary>Writes what is due.</summary>
    /// <param name="now">The present.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="NpgsqlException">The database cannot be asked; what is missing is made up for next time.</exception>
    public async Task KeepAsync(DateTimeOffset now, CancellationToken cancellationToken)
    {
        await FillAsync(Minute, TimeSpan.FromMinutes(1), CatchUp, now - Settled, cancellationToken);
        await FillAsync(Hour, TimeSpan.FromHours(1), TimeSpan.FromDays(1), now - Settled - TimeSpan.FromMinutes(2), cancellationToken);
        await ExecuteAsync(Forget, [new() { Value = 60 }, Time(now - MinutesKept)], cancellationToken);
        await ExecuteAsync(Forget, [new() { Value = 3600 }, Time(now - HoursKept)], cancellationToken);
    }

    private async Task FillAsync(string sql, TimeSpan period, TimeSpan catchUp, DateTimeOffset until, CancellationToken cancellationToken)
    {
        DateTimeOffset? newest;
        await using (var command = database.CreateCommand(Newest))
        {
            command.Parameters.Add(new() { Value = (int)period.TotalSeconds });
            newest = await command.ExecuteScalarAsync(cancellationToken) is DateTime time ? new DateTimeOffset(time, TimeSpan.Zero) : null;
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

    private static DateTimeOffset Floor(DateTimeOffset time, TimeSpan period) => new(time.UtcTicks - (time.UtcTicks % period.Ticks), TimeSpan.Zero);

    private static NpgsqlParameter Time(DateTimeOffset time) => new() { Value = time.ToUniversalTime(), NpgsqlDbType = NpgsqlDbType.TimestampTz };
}
