using System.Data;
using Npgsql;
using QueueWorkers.Consuming;
using QueueWorkers.Data;
using QueueWorkers.FlowControl;
using QueueWorkers.Outbox.Relaying;

namespace QueueWorkers.Monitoring;

/// <summary>
/// Reads what waits in the outbox for its step, by step and cause. It walks the index <c>outbox_waiting</c>, which holds
/// nothing else, and stops counting at <see cref="MostCounted"/> of each step and cause: there, a million waiting rows
/// cost what ten thousand cost. Until vacuum has been there, each counted row also costs a look at its page.
/// </summary>
public sealed class WaitingReader(NpgsqlDataSource database, RelayFeed relay)
{
    /// <summary>Beyond this many of a step and cause, "more than" is as good as a number.</summary>
    public const int MostCounted = 10_000;

    // Of those that are due soonest, so many are asked for their last fault: who was not let in has none.
    private const int MostAsked = 50;

    internal static readonly string[] Causes = [.. Enum.GetValues<DeferralCause>().Select(Deferral.NameOf)];

    // Until vacuum has been there, the planner takes ten thousand rows of the index for dearer than the whole table: once
    // for each step and cause.
    internal const string ByIndex = "set local enable_seqscan = off; set local enable_bitmapscan = off";

    // $1 is where looks begin: what was sent may still lie before it, when a snapshot is held.
    internal static readonly string Look = $"""
        select s.step, s.required, c.cause, w.count, w.since, w.next, w.latest, f.last_fault
        from step_catalogue s cross join unnest($2::text[]) as c(cause)
        cross join lateral (
            select count(*) as count, min(deferred_since) as since, min(due_at) as next, max(due_at) as latest from (
                select deferred_since, due_at from outbox
                where exchange = s.step and deferred_by = c.cause and due_at >= $1
                order by due_at limit {MostCounted}) soonest) w
        left join lateral (
            select r.last_fault from (
                select correlation_id from outbox
                where exchange = s.step and deferred_by = c.cause and due_at >= $1
                order by due_at limit {MostAsked}) next
            join step_runs r on r.step = s.step and r.last_fault is not null and r.subject_id =
                case when pg_input_is_valid(next.correlation_id, 'uuid') then next.correlation_id::uuid end
            limit 1) f on true
        where w.count > 0
        order by s.position, s.step, w.count desc
        """;

    /// <summary>Reads it.</summary>
    /// <exception cref="NpgsqlException">The database cannot be read.</exception>
    public async Task<IReadOnlyList<WaitingMessages>> ReadAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using (var settings = new NpgsqlCommand(ByIndex, connection))
            await settings.ExecuteNonQueryAsync(cancellationToken);
        await using var command = new NpgsqlCommand(Look, connection);
        command.Parameters.Add(new NpgsqlParameter<DateTimeOffset> { TypedValue = relay.LowWater.From });
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = Causes });
        var waiting = new List<WaitingMessages>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            waiting.Add(
                new WaitingMessages(
                    reader.GetString("step"),
                    reader.GetBoolean("required"),
                    reader.GetString("cause"),
                    reader.GetInt64("count"),
                    reader.Optional<DateTimeOffset>("since"),
                    reader.GetFieldValue<DateTimeOffset>("next"),
                    reader.GetFieldValue<DateTimeOffset>("latest"),
                    reader.OptionalText("last_fault")
                )
            );
        }

        return waiting;
    }
}
