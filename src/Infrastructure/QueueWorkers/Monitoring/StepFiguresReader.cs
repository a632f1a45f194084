using System.Data;
using Npgsql;
using NpgsqlTypes;
using QueueWorkers.Steps;

namespace QueueWorkers.Monitoring;

/// <summary>
/// Reads from <c>step_runs</c> how the steps have been doing lately. A block range index on the end of a run finds the
/// recent rows: it costs the hot path next to nothing and leaves updates in place (HOT), which an ordinary index would
/// not.
/// </summary>
public sealed class StepFiguresReader(NpgsqlDataSource database)
{
    // An attempt that failed has a run time, and nothing else: neither is it done, nor did it wait for its first one.
    private static readonly string Figures = $"""
        with ended as (
            select step, status,
                case when status = {StepStatus.Done:D} then {Seconds("finished_at - attempt_started_at")} end as run,
                {Seconds("started_at - queued_at")} as queue,
                case when status = {StepStatus.Done:D} then {Seconds("finished_at - queued_at")} end as total
            from step_runs where finished_at > $1 and finished_at <= $2
            union all
            select step, null, {Seconds("ended_at - started_at")}, null, null from step_attempts
            where ended_at > $1 and ended_at <= $2)
        select coalesce(step, '') as step, count(*) filter (where status = {StepStatus.Done:D}) as done,
            count(*) filter (where status in ({StepStatus.Failed:D}, {StepStatus.Uncertain:D})) as failed,
            {Of("run")} as run, {Of("queue")} as queue, {Of("total")} as total
        from ended group by grouping sets ((step), ())
        """;

    /// <summary>
    /// Reads the figures of the runs that ended after a moment; one row per step and one, without a name, for all.
    /// </summary>
    /// <exception cref="NpgsqlException">The database cannot be read.</exception>
    public async Task<IReadOnlyDictionary<string, StepFigures>> ReadAsync(
        DateTimeOffset after,
        DateTimeOffset until,
        CancellationToken cancellationToken
    )
    {
        await using var command = database.CreateCommand(Figures);
        command.Parameters.Add(new() { Value = after.ToUniversalTime(), NpgsqlDbType = NpgsqlDbType.TimestampTz });
        command.Parameters.Add(new() { Value = until.ToUniversalTime(), NpgsqlDbType = NpgsqlDbType.TimestampTz });
        var figures = new Dictionary<string, StepFigures>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            figures[reader.GetString("step")] = new StepFigures(
                reader.GetString("step"),
                reader.GetInt64("done"),
                reader.GetInt64("failed"),
                PercentilesIn(reader, "run"),
                PercentilesIn(reader, "queue"),
                PercentilesIn(reader, "total")
            );
        }

        return figures;
    }

    // "greatest" takes a missing value for the smallest.
    private static string Seconds(string duration) =>
        $"case when {duration} is not null then greatest(0, extract(epoch from {duration}))::double precision end";

    private static string Of(string column) =>
        $"percentile_cont(array[0.5, 0.95, 0.99]) within group (order by {column})";

    private static Percentiles PercentilesIn(NpgsqlDataReader reader, string column)
    {
        var seconds = reader.IsDBNull(column) ? null : reader.GetFieldValue<double?[]>(column);
        return new Percentiles(Duration(seconds, 0), Duration(seconds, 1), Duration(seconds, 2));
    }

    // A row that ends or begins at infinity has a duration that is none.
    private static TimeSpan? Duration(double?[]? percentiles, int index) =>
        percentiles?[index] is { } seconds && double.IsFinite(seconds) && seconds < TimeSpan.MaxValue.TotalSeconds
            ? TimeSpan.FromSeconds(seconds)
            : null;
}
