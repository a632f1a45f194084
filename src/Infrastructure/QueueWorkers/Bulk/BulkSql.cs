using System.Data;
using Npgsql;
using NpgsqlTypes;
using QueueWorkers.GroupCommit;

namespace QueueWorkers.Bulk;

/// <summary>The statements of <see cref="BulkRunner"/>. Items are written only by who has locked their action.</summary>
internal static class BulkSql
{
    private static readonly string Lock = $"""
        select {BulkReader.Columns}, floor(per_second
            * least(extract(epoch from now() - moved_at), 1))::integer as due
        from bulk_actions where id = $1 and state in ({BulkState.Rehearsed:D}, {BulkState.Running:D})
        for no key update skip locked
        """;

    // As if each had been done at its own moment: the rate holds over all turns and processes. What was not done for
    // longer than a second is not made up for.
    private static readonly string Settle = $"""
        with settled as (
            update bulk_items i set state = t.state, note = t.note, settled_at = now()
            from unnest($2::uuid[], $3::smallint[], $4::text[]) as t(target_id, state, note)
            where i.bulk_action_id = $1 and i.target_id = t.target_id and i.state = {BulkItemState.Waiting:D}
            returning i.state),
        counted as (
            select count(*) as settled, count(*) filter (where state = {BulkItemState.Done:D}) as done,
                count(*) filter (where state = {BulkItemState.Skipped:D}) as skipped,
                count(*) filter (where state = {BulkItemState.Refused:D}) as refused
            from settled)
        update bulk_actions a set done = a.done + c.done, skipped = a.skipped + c.skipped,
            refused = a.refused + c.refused,
            moved_at = greatest(now() - interval '1 second', moved_at) + c.settled * interval '1 second' / per_second
        from counted c where a.id = $1
        """;

    /// <summary>Leaves every target alone whose turn has not come, and ends the action; for its locked row.</summary>
    public static readonly string End = $"""
        with left_over as (
            update bulk_items set state = {BulkItemState.Skipped:D}, note = $2, settled_at = now()
            where bulk_action_id = $1 and state = {BulkItemState.Waiting:D} returning 1)
        update bulk_actions set state = {BulkState.Ended:D}, note = $2, finished_at = now(),
            skipped = skipped + (select count(*) from left_over)
        where id = $1
        """;

    /// <summary>Those that go on, and the rehearsals that nobody has confirmed in time.</summary>
    public static async Task<IReadOnlyList<Guid>> OpenAsync(
        NpgsqlDataSource database,
        TimeSpan rehearsalLasts,
        CancellationToken cancellationToken
    )
    {
        await using var command = database.CreateCommand(
            $"""
            select id from bulk_actions where state = {BulkState.Running:D}
                or state = {BulkState.Rehearsed:D} and created_at < now() - $1 order by id
            """
        );
        command.Parameters.Add(new NpgsqlParameter<TimeSpan> { TypedValue = rehearsalLasts });
        var ids = new List<Guid>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            ids.Add(reader.GetGuid(0));
        return ids;
    }

    /// <summary>
    /// Locks an action and says how many of its targets are due now; null when it is not open, or another process is at
    /// it.
    /// </summary>
    public static async Task<(BulkAction Action, int Due)?> LockAsync(
        NpgsqlConnection connection,
        Guid id,
        CancellationToken cancellationToken
    )
    {
        await using var command = Command(connection, Lock, id);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken) ? (BulkReader.Of(reader), reader.GetInt32("due")) : null;
    }

    public static async Task<IReadOnlyList<Guid>> NextAsync(
        NpgsqlConnection connection,
        Guid id,
        int limit,
        CancellationToken cancellationToken
    )
    {
        await using var command = Command(
            connection,
            $"""
            select target_id from bulk_items where bulk_action_id = $1 and state = {BulkItemState.Waiting:D}
            order by target_id limit $2
            """,
            id,
            limit
        );
        var targets = new List<Guid>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
            targets.Add(reader.GetGuid(0));
        return targets;
    }

    public static async Task SettleAsync(
        NpgsqlConnection connection,
        Guid id,
        IReadOnlyList<BulkSettled> settled,
        CancellationToken cancellationToken
    )
    {
        await using var command = Command(
            connection,
            Settle,
            id,
            settled.Select(s => s.Target).ToArray(),
            settled.Select(s => (short)s.State).ToArray()
        );
        command.Parameters.Add(
            new NpgsqlParameter
            {
                Value = settled.Select(s => StorableText.OfNullable(PersonalText.OfNullable(s.Note), 500)).ToArray(),
                NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text,
            }
        );
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    public static Task FinishAsync(NpgsqlConnection connection, Guid id, CancellationToken cancellationToken) =>
        ExecuteAsync(
            connection,
            $"update bulk_actions set state = {BulkState.Finished:D}, finished_at = now() where id = $1",
            cancellationToken,
            id
        );

    public static Task PauseAsync(
        NpgsqlConnection connection,
        Guid id,
        string why,
        CancellationToken cancellationToken
    ) =>
        ExecuteAsync(
            connection,
            $"update bulk_actions set state = {BulkState.Paused:D}, note = $2 where id = $1",
            cancellationToken,
            id,
            why
        );

    public static async Task<int> ExecuteAsync(
        NpgsqlConnection connection,
        string sql,
        CancellationToken cancellationToken,
        params object[] values
    )
    {
        await using var command = Command(connection, sql, values);
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static NpgsqlCommand Command(NpgsqlConnection connection, string sql, params object[] values)
    {
        var command = new NpgsqlCommand(sql, connection);
        foreach (var value in values)
            command.Parameters.Add(new() { Value = value });
        return command;
    }
}
