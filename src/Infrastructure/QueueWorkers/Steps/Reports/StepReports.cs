using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using QueueWorkers.Steps.Runs;

namespace QueueWorkers.Steps.Reports;

/// <summary>
/// Writes what runs tell about themselves: with their commit or failure, and once a second for those that go on. A run
/// that tells nothing costs nothing.
/// Dying loses the last second of a report, and nothing else depends on it.
/// </summary>
public sealed class StepReports(NpgsqlDataSource database)
{
    // A flush that was held up must not put an older report over the one that came with the commit.
    private const string Upsert = """
        insert into step_reports (subject_id, step, message_id, attempt, progress, activity, log, result, at)
        select t.subject_id, t.step, t.message_id, t.attempt, t.progress, t.activity,
            array(select jsonb_array_elements_text(t.log::jsonb)), t.result::jsonb, t.at
        from unnest($1::uuid[], $2::text[], $3::uuid[], $4::integer[], $5::float8[], $6::text[], $7::text[], $8::text[],
            $9::timestamptz[])
             as t(subject_id, step, message_id, attempt, progress, activity, log, result, at)
        order by 1, 2, 3, 4
        on conflict (subject_id, step, message_id, attempt) do update
            set progress = excluded.progress, activity = excluded.activity, log = excluded.log,
                result = excluded.result, at = excluded.at
            where step_reports.at <= excluded.at
        """;

    /// <summary>
    /// Writes what running runs have told since the last time, in one statement; nothing when that is nothing.
    /// </summary>
    /// <exception cref="NpgsqlException">The database does not answer; the next report of the run has
    /// everything.</exception>
    public async Task FlushAsync(IEnumerable<StepRun> runs, CancellationToken cancellationToken)
    {
        List<StepReport>? reports = null;
        foreach (var run in runs)
        {
            if (run.Report?.Take(run) is { } report)
                (reports ??= []).Add(report);
        }

        if (reports is null)
            return;
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var batch = new NpgsqlBatch(connection) { BatchCommands = { Command(reports) } };
        await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>The statement that writes the reports of runs that end; null when none has told anything.</summary>
    internal static NpgsqlBatchCommand? For(IEnumerable<StepRun> runs)
    {
        List<StepReport>? reports = null;
        foreach (var run in runs)
        {
            if (run.Report is { } report)
                (reports ??= []).Add(report.Of(run));
        }

        return reports is null ? null : Command(reports);
    }

    private static NpgsqlBatchCommand Command(List<StepReport> reports) =>
        new(Upsert)
        {
            Parameters =
            {
                new NpgsqlParameter<Guid[]> { TypedValue = [.. reports.Select(r => r.SubjectId)] },
                new NpgsqlParameter<string[]> { TypedValue = [.. reports.Select(r => r.Step)] },
                new NpgsqlParameter<Guid[]> { TypedValue = [.. reports.Select(r => r.MessageId)] },
                new NpgsqlParameter<int[]> { TypedValue = [.. reports.Select(r => r.Attempt)] },
                new NpgsqlParameter<double?[]> { TypedValue = [.. reports.Select(r => r.Progress)] },
                new NpgsqlParameter<string?[]> { TypedValue = [.. reports.Select(r => r.Activity)] },
                new NpgsqlParameter<string[]>
                {
                    TypedValue = [.. reports.Select(r => JsonSerializer.Serialize(r.Log))],
                },
                new NpgsqlParameter<string?[]> { TypedValue = [.. reports.Select(r => r.Result)] },
                new NpgsqlParameter<DateTimeOffset[]>
                {
                    TypedValue = [.. reports.Select(r => r.At)],
                    NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.TimestampTz,
                },
            },
        };
}
