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
    private static readonly string Figures = $"""
        select coalesce(step_runs.step, '') as step, count(*) filter (where status = {StepStatus.Done:D}) as done,
            count(*) filter (where status in ({StepStatus.Failed:D}, {StepStatus.Uncertain:D})) as failed,
               percentile_cont(array[0.5, 0.95, 0.99]) within group
                   (order by extract(epoch from finished_at - started_at)) filter (where status = {StepStatus.Done:D}
                   and finished_at >= started_at) as durations
        from step_runs where finished_at > $1 and finished_at <= $2
        group by grouping sets ((step_runs.step), ())
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
            var p = reader.IsDBNull("durations") ? null : reader.GetFieldValue<double?[]>("durations");
            figures[reader.GetString("step")] = new StepFigures(
                reader.GetString("step"),
                reader.GetInt64("done"),
                reader.GetInt64("failed"),
                Duration(p, 0),
                Duration(p, 1),
                Duration(p, 2)
            );
        }

        return figures;
    }

    private static TimeSpan? Duration(double?[]? percentiles, int index) =>
        percentiles?[index] is { } seconds ? TimeSpan.FromSeconds(seconds) : null;
}
