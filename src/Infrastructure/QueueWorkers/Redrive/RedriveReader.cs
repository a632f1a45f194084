using System.Data;
using Npgsql;
using QueueWorkers.DeadLetters;

namespace QueueWorkers.Redrive;

/// <summary>Reads redrives, their progress and their messages.</summary>
public sealed class RedriveReader(NpgsqlDataSource database)
{
    private const string Columns =
        "r.id, r.stage, r.created_by, r.created_at, r.reason, r.filter, r.patch, r.canary, r.rate_per_second, r.stop_percent, r.total, r.stopped_at, r.stopped_because, r.moved_at, r.finished_at, r.resumed_at";

    private static readonly string Counts = $"""
        select count(*) filter (where state = {RedriveItemState.Waiting:D})::integer as waiting,
            count(*) filter (where state = {RedriveItemState.Sent:D})::integer as sent,
            count(*) filter (where state = {RedriveItemState.Done:D})::integer as done,
            count(*) filter (where state = {RedriveItemState.FailedAgain:D})::integer as failed,
                count(*) filter (where state = {RedriveItemState.Skipped:D})::integer as skipped from redrive_items i
                where i.redrive_id = r.id
        """;

    /// <summary>A redrive; null when there is none.</summary>
    public async Task<RedriveProgress?> FindAsync(Guid id, CancellationToken cancellationToken) =>
        await ReadAsync("r.id = $1", id, cancellationToken) is [var found, ..] ? found : null;

    /// <summary>Redrives, the newest first.</summary>
    public Task<IReadOnlyList<RedriveProgress>> ListAsync(Guid? before, CancellationToken cancellationToken) =>
        ReadAsync("r.id < $1", before ?? new Guid("ffffffff-ffff-ffff-ffff-ffffffffffff"), cancellationToken);

    /// <summary>The messages of a redrive in one state.</summary>
    public async Task<IReadOnlyList<RedriveItem>> ItemsAsync(
        Guid id,
        RedriveItemState state,
        Guid? after,
        int limit,
        CancellationToken cancellationToken
    )
    {
        await using var command = database.CreateCommand(
            """
            select failure_id, generation, sent_at, settled_at, note from redrive_items
                where redrive_id = $1 and state = $2 and failure_id > $3 order by failure_id limit $4
            """
        );
        foreach (var value in new object[] { id, (short)state, after ?? Guid.Empty, limit })
            command.Parameters.Add(new() { Value = value });
        var items = new List<RedriveItem>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            items.Add(
                new RedriveItem
                {
                    RedriveId = id,
                    State = state,
                    FailureId = reader.GetGuid("failure_id"),
                    Generation = reader.IsDBNull("generation") ? null : reader.GetInt32("generation"),
                    SentAt = reader.IsDBNull("sent_at") ? null : reader.GetFieldValue<DateTimeOffset>("sent_at"),
                    SettledAt = reader.IsDBNull("settled_at")
                        ? null
                        : reader.GetFieldValue<DateTimeOffset>("settled_at"),
                    Note = reader.IsDBNull("note") ? null : reader.GetString("note"),
                }
            );
        }

        return items;
    }

    private async Task<IReadOnlyList<RedriveProgress>> ReadAsync(
        string where,
        Guid id,
        CancellationToken cancellationToken
    )
    {
        await using var command = database.CreateCommand(
            $"select {Columns}, c.* from (select * from redrives r where {where} order by r.id desc limit 100) r cross join lateral ({Counts}) c order by r.id desc"
        );
        command.Parameters.Add(new() { Value = id });
        var redrives = new List<RedriveProgress>();
        Failpoint.Hit("redrive.before_read_progress", Outside.Database);
        await using var r = await command.ExecuteReaderAsync(cancellationToken);
        while (await r.ReadAsync(cancellationToken))
            redrives.Add(
                new RedriveProgress(
                    RecordOf(r),
                    r.GetInt32("waiting"),
                    r.GetInt32("sent"),
                    r.GetInt32("done"),
                    r.GetInt32("failed"),
                    r.GetInt32("skipped")
                )
            );
        return redrives;
    }

    private static RedriveRecord RecordOf(NpgsqlDataReader r) =>
        new()
        {
            Id = r.GetGuid("id"),
            Stage = (RedriveStage)r.GetInt16("stage"),
            CreatedBy = r.GetString("created_by"),
            CreatedAt = r.GetFieldValue<DateTimeOffset>("created_at"),
            Reason = r.GetString("reason"),
            Filter = r.GetString("filter"),
            Patch = r.IsDBNull("patch") ? null : r.GetString("patch"),
            Canary = r.GetInt32("canary"),
            RatePerSecond = r.GetInt32("rate_per_second"),
            StopPercent = r.GetInt32("stop_percent"),
            Total = r.GetInt32("total"),
            StoppedAt = r.IsDBNull("stopped_at") ? null : r.GetFieldValue<DateTimeOffset>("stopped_at"),
            StoppedBecause = r.IsDBNull("stopped_because") ? null : r.GetString("stopped_because"),
            MovedAt = r.IsDBNull("moved_at") ? null : r.GetFieldValue<DateTimeOffset>("moved_at"),
            FinishedAt = r.IsDBNull("finished_at") ? null : r.GetFieldValue<DateTimeOffset>("finished_at"),
            ResumedAt = r.IsDBNull("resumed_at") ? null : r.GetFieldValue<DateTimeOffset>("resumed_at"),
        };
}
