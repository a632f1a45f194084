using System.Data;
using Npgsql;
using NpgsqlTypes;
using QueueWorkers.GroupCommit;

namespace QueueWorkers.Scheduling.Firings;

/// <summary>
/// The statements of <see cref="JobRunner"/>: who works on a firing, under a lease by the database's clock.
/// </summary>
internal static class JobQueries
{
    /// <summary>The longest text kept of a firing.</summary>
    public const int LongestResult = 2000;

    // Two statements: the second one's snapshot is taken under the locks of the first, so it sees every firing of these
    // schedules that is running.
    private static readonly string LockWaiting = $"""
        select name from schedules s where name = any($1)
            and exists (select from schedule_runs r where r.schedule = s.name
                and (r.status = {FiringStatus.Waiting:D} or (r.status = {FiringStatus.Running:D}
                and r.lease_until < clock_timestamp())))
        order by name for no key update skip locked
        """;

    private static readonly string Claim = $"""
        update schedule_runs r set status = {FiringStatus.Running:D}, attempts = r.attempts + 1, host = $2,
            started_at = clock_timestamp(), lease_until = clock_timestamp() + $3
        from (
            select c.schedule, c.due_at from schedule_runs c
            where c.schedule = any($1) and (c.status = {FiringStatus.Waiting:D}
                or (c.status = {FiringStatus.Running:D} and c.lease_until < clock_timestamp()))
                and not exists (select from schedule_runs b
                    where b.schedule = c.schedule and b.status = {FiringStatus.Running:D}
                    and b.lease_until >= clock_timestamp())
            order by c.due_at limit 1) t
        where r.schedule = t.schedule and r.due_at = t.due_at
        returning r.schedule, r.due_at, r.attempts
        """;

    private static readonly string Renew = $"""
        update schedule_runs set lease_until = clock_timestamp() + $4
            where schedule = $1 and due_at = $2 and attempts = $3 and status = {FiringStatus.Running:D}
        """;

    private static readonly string End = $"""
        with ended as (
            update schedule_runs set status = $4, finished_at = clock_timestamp(), lease_until = null, result = $5
            where schedule = $1 and due_at = $2 and attempts = $3 and status = {FiringStatus.Running:D} returning *)
        update schedules s set last_due_at = e.due_at, last_finished_at = e.finished_at, last_status = e.status,
            last_result = e.result, last_duration = e.finished_at - e.started_at
        from ended e where s.name = e.schedule
        """;

    private static readonly string GiveBack = $"""
        update schedule_runs set status = {FiringStatus.Waiting:D}, attempts = attempts - 1, lease_until = null
            where schedule = $1 and due_at = $2 and attempts = $3 and status = {FiringStatus.Running:D}
        """;

    /// <summary>
    /// Takes one firing of a job to work on, never of a schedule that is being worked on; null when there is none.
    /// </summary>
    public static async Task<Firing?> ClaimAsync(
        NpgsqlDataSource database,
        string[] schedules,
        string host,
        TimeSpan lease,
        CancellationToken cancellationToken
    )
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var free = await LockWaitingAsync(connection, schedules, cancellationToken);
        if (free.Count == 0)
            return null;

        await using var command = new NpgsqlCommand(Claim, connection);
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. free] });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = host });
        command.Parameters.Add(
            new NpgsqlParameter<TimeSpan> { TypedValue = lease, NpgsqlDbType = NpgsqlDbType.Interval }
        );
        Firing? firing = null;
        await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
        {
            if (await reader.ReadAsync(cancellationToken))
                firing = new Firing(
                    reader.GetString("schedule"),
                    reader.GetFieldValue<DateTimeOffset>("due_at"),
                    reader.GetInt32("attempts")
                );
        }

        await transaction.CommitAsync(CancellationToken.None);
        return firing;
    }

    /// <summary>Moves the lease on; false when somebody else has the firing.</summary>
    public static async Task<bool> RenewAsync(
        NpgsqlDataSource database,
        Firing firing,
        TimeSpan lease,
        CancellationToken cancellationToken
    )
    {
        await using var command = About(database, Renew, firing);
        command.Parameters.Add(
            new NpgsqlParameter<TimeSpan> { TypedValue = lease, NpgsqlDbType = NpgsqlDbType.Interval }
        );
        return await command.ExecuteNonQueryAsync(cancellationToken) == 1;
    }

    /// <summary>Writes how a firing ended, if it is still this process's.</summary>
    public static async Task EndAsync(NpgsqlDataSource database, Firing firing, FiringStatus status, string result)
    {
        await using var command = About(database, End, firing);
        command.Parameters.Add(new NpgsqlParameter<short> { TypedValue = (short)status });
        // A fault may quote anything.
        command.Parameters.Add(
            new NpgsqlParameter<string> { TypedValue = StorableText.Of(PersonalText.Of(result), LongestResult) }
        );
        await command.ExecuteNonQueryAsync(CancellationToken.None);
    }

    /// <summary>Leaves a firing to another process, as if this one had not begun it.</summary>
    public static async Task GiveBackAsync(NpgsqlDataSource database, Firing firing)
    {
        await using var command = About(database, GiveBack, firing);
        await command.ExecuteNonQueryAsync(CancellationToken.None);
    }

    private static async Task<List<string>> LockWaitingAsync(
        NpgsqlConnection connection,
        string[] schedules,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(LockWaiting, connection);
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = schedules });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var free = new List<string>();
        while (await reader.ReadAsync(cancellationToken))
            free.Add(reader.GetString("name"));
        return free;
    }

    // The number of the attempt fences: a process that was frozen past its lease cannot end what another one has begun
    // since.
    private static NpgsqlCommand About(NpgsqlDataSource database, string sql, Firing firing)
    {
        var command = database.CreateCommand(sql);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = firing.Schedule });
        command.Parameters.Add(
            new NpgsqlParameter<DateTimeOffset> { TypedValue = firing.DueAt, NpgsqlDbType = NpgsqlDbType.TimestampTz }
        );
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = firing.Attempt });
        return command;
    }
}
