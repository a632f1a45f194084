using System.Data;
using Npgsql;
using NpgsqlTypes;

namespace QueueWorkers.Monitoring.History;

/// <summary>Reads the history.</summary>
public sealed class HistoryReader(NpgsqlDataSource database)
{
    /// <summary>The periods of a step, or of all steps added up, in the order of time.</summary>
    /// <param name="span">How far back: minutes up to six hours, hours beyond.</param>
    /// <param name="step">The step; null for all.</param>
    /// <param name="now">The present.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="NpgsqlException">The database cannot be read.</exception>
    public async Task<IReadOnlyList<StepPeriod>> ReadAsync(
        TimeSpan span,
        string? step,
        DateTimeOffset now,
        CancellationToken cancellationToken
    )
    {
        await using var command = database.CreateCommand(
            """
            select begins, step, done, failed, dead_lettered, run, queue, total from step_history
            where seconds = $1 and begins >= $2 and ($3::text is null or step = $3) order by begins
            """
        );
        var seconds = span <= TimeSpan.FromHours(6) ? 60 : 3600;
        command.Parameters.Add(new() { Value = seconds });
        command.Parameters.Add(
            new() { Value = (now - span).ToUniversalTime(), NpgsqlDbType = NpgsqlDbType.TimestampTz }
        );
        command.Parameters.Add(new() { Value = (object?)step ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text });
        var rows = new List<StepPeriod>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            rows.Add(
                new StepPeriod
                {
                    Seconds = seconds,
                    From = reader.GetFieldValue<DateTimeOffset>("begins"),
                    Step = reader.GetString("step"),
                    Done = reader.GetInt64("done"),
                    Failed = reader.GetInt64("failed"),
                    DeadLettered = reader.GetInt64("dead_lettered"),
                    Run = reader.GetFieldValue<int[]>("run"),
                    Queue = reader.GetFieldValue<int[]>("queue"),
                    Total = reader.GetFieldValue<int[]>("total"),
                }
            );
        }

        return step is null ? [.. rows.GroupBy(r => r.From).Select(g => Sum([.. g], ""))] : rows;
    }

    /// <summary>Periods added up.</summary>
    public static StepPeriod Sum(IReadOnlyList<StepPeriod> periods, string step)
    {
        var (run, queue, total) = (
            new int[DurationSlots.Count],
            new int[DurationSlots.Count],
            new int[DurationSlots.Count]
        );
        foreach (var period in periods)
        {
            DurationSlots.Add(run, period.Run);
            DurationSlots.Add(queue, period.Queue);
            DurationSlots.Add(total, period.Total);
        }

        return new StepPeriod
        {
            Seconds = periods.Count == 0 ? 0 : periods[0].Seconds,
            From = periods.Count == 0 ? default : periods[0].From,
            Step = step,
            Done = periods.Sum(p => p.Done),
            Failed = periods.Sum(p => p.Failed),
            DeadLettered = periods.Sum(p => p.DeadLettered),
            Run = run,
            Queue = queue,
            Total = total,
        };
    }
}
