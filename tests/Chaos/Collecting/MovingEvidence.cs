using Npgsql;
using Orders.Chaos.Reporting;

namespace Orders.Chaos.Collecting;

/// <summary>
/// Reads what still moves in the database: orders that have not come to their end, and all that may still be done for
/// them. Nothing is found when the database is at rest.
/// </summary>
public sealed class MovingEvidence(NpgsqlDataSource database)
{
    /// <summary>How the name of a part begins that counts orders.</summary>
    public const string Orders = "order_progress";

    // Of what is dead-lettered: redrives that go on, messages still to be taken out of their queue, and steps that say
    // they are dead-lettered and are not in the index yet, or the other way round. The last is a difference of counts:
    // which ones differ is named beside it.
    private static readonly string Rows = $"""
        select '{Orders}, ' || case status when {StoredCodes.OrderAccepted} then 'accepted' else 'processing' end
                || ', without ' || coalesce((select string_agg(c.step, ', ' order by c.position)
                    from step_catalogue c where c.bit & missing <> 0), 'a step') as what,
            count(*), 'first order ' || min(order_id::text)
        from (select order_id, status, required & ~done as missing from order_progress
            where status in ({StoredCodes.OrderAccepted}, {StoredCodes.OrderProcessing})) p
        group by status, missing
        union all
        select 'outbox, to ' || concat_ws(' ', nullif(exchange, ''), nullif(routing_key, '')), count(*),
            format('%s due, up to %s refusals, first row %s, last error: %s', count(*) filter (where due_at <= now()),
                max(attempts), min(id::text), coalesce(max(last_error), 'none'))
        from outbox where dead_at is null group by exchange, routing_key
        union all
        select 'effects, pending ' || effect, count(*),
            format('%s with a lease, first order %s', count(*) filter (where lease_until > now()),
                min(subject_id::text))
        from effects where state = {StoredCodes.EffectPending} group by effect
        union all
        select 'redrives, in stage ' || stage, count(*), 'first ' || min(id::text)
        from redrives where stage <> {StoredCodes.RedriveDone} and stopped_at is null group by stage
        union all
        select 'failures, of ' || queue || ' in state ' || state, count(*), 'first order ' || min(subject_id::text)
        from failures where state not in ({StoredCodes.FailureFailed}, {StoredCodes.FailureGone})
            and removed_at is null group by queue, state
        union all
        select 'step_runs and failures, dead-lettered in one of them only', difference, named from (
            select abs((select count(*) from dead) - (select count(*) from indexed)) as difference,
                (select string_agg(line, '; ') from (
                    (select format('%s of %s has no failure', step, subject_id) as line
                        from (select * from dead except select * from indexed) d order by 1 limit 3)
                    union all
                    (select format('%s of %s has only a failure', step, subject_id)
                        from (select * from indexed except select * from dead) i order by 1 limit 3)) lines) as named)
        where difference > 0
        """;

    private static readonly string Moving = $"""
        with dead as materialized (
            select subject_id, step from step_runs
                where status in ({StoredCodes.StepFailed}, {StoredCodes.StepUncertain})),
        indexed as materialized (
            select distinct subject_id, step from failures
                where state = {StoredCodes.FailureFailed} and kind = {StoredCodes.FailureKindError})
        {Rows}
        """;

    // Sessions that are at work, or hold a transaction open, for more than a moment.
    private const string Statements = """
        select format('statement of %s, %s', coalesce(usename::text, 'the server'), state), count(*),
            format('since %s s, waits for %s: %s', round(extract(epoch from max(now() - state_change))),
                coalesce(max(wait_event_type || ' ' || wait_event), 'nothing'),
                max(regexp_replace(left(query, 200), '\s+', ' ', 'g')))
        from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'
            and state <> 'idle' and state_change < clock_timestamp() - interval '1 second'
        group by usename, state, left(query, 60)
        """;

    /// <summary>Reads the rows that move.</summary>
    public Task<IReadOnlyList<MovingPart>> ReadAsync(CancellationToken cancellationToken = default) =>
        QueryAsync(Moving, cancellationToken);

    /// <summary>
    /// Reads the statements that go on, to explain the rows: an idle system has some of its own now and then.
    /// </summary>
    public Task<IReadOnlyList<MovingPart>> ReadStatementsAsync(CancellationToken cancellationToken = default) =>
        QueryAsync(Statements, cancellationToken);

    private async Task<IReadOnlyList<MovingPart>> QueryAsync(string sql, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(sql);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var parts = new List<MovingPart>();
        while (await reader.ReadAsync(cancellationToken))
            parts.Add(
                new MovingPart(reader.GetString(0), reader.GetInt64(1), reader.IsDBNull(2) ? "" : reader.GetString(2))
            );
        return parts;
    }
}
