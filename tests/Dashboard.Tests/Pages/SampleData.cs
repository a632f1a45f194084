using Orders.Testing.Servers;
using QueueWorkers.DeadLetters;
using QueueWorkers.FlowControl.CircuitBreakers;
using QueueWorkers.Redrive;
using QueueWorkers.Steps;

namespace Orders.Dashboard.Tests.Pages;

/// <summary>Rows to look at: orders in every state, failed attempts, an outbox with every part.</summary>
internal static class SampleData
{
    /// <summary>What a hostile client would like an operator's browser to run.</summary>
    public const string Hostile = "<svg onload=\"window.hostile=1\"><script>window.hostile=1</script>";

    /// <summary>
    /// Writes orders, one a second back from now, with what their steps did. Every 10th is dead-lettered, every 37th
    /// refused, every 5th of the newest 100 under way.
    /// </summary>
    public static Task OrdersAsync(TestDatabase database, int count, string said = Hostile) =>
        database.ExecuteAsync(
            """
            with numbers as (select n, now() - n * interval '1 second' as at from generate_series(1, $1) n),
            made as (
                insert into orders (id, client_id, customer_name, customer_email, currency, total, premium, notes,
                    ship_line1, ship_city, ship_postal_code, ship_country, created_at)
                select uuidv7(-n * interval '1 second'), 'demo', $2, 'zoe@example.com', 'EUR', 10 + n % 90, n % 9 = 0,
                    $2, 'Hafenstr. 1', 'Hamburg', '20457', 'DE', at from numbers
                returning id, created_at, number),
            bits as (select bit_or(bit) as whole from step_catalogue where active),
            progress as (
                insert into order_progress (order_id, required, done, failed, rejected_at, completed_at)
                select id, whole, case when number % 10 = 0 then whole & ~1 when number % 5 = 1 and number < 100 then 0
                    else whole end, case when number % 10 = 0 then 1 else 0 end,
                       case when number % 37 = 0 then created_at + interval '1 second' end, case when number % 10 <> 0
                           and not (number % 5 = 1 and number < 100) then created_at + interval '900 ms' end
                from made, bits),
            lines as (
                insert into order_lines (order_id, line, sku, name, quantity, unit_price, total)
                    select id, 0, 'MUG-BLUE', 'Mug, blue', 2, 9.90, 19.80 from made),
            runs as (
                insert into step_runs (subject_id, step, status, attempts, queued_at, started_at, attempt_started_at,
                    finished_at, last_fault)
                select id, step, case when bit = 1 and number % 10 = 0 then 4 else 2 end, case when bit = 1
                    and number % 10 = 0 then 3 else 1 end, created_at + position * interval '80 ms',
                       created_at + position * interval '80 ms' + interval '30 ms',
                       created_at + position * interval '80 ms' + interval '30 ms'
                           + case when bit = 1 and number % 10 = 0 then interval '6 seconds' else interval '0' end,
                       created_at + position * interval '80 ms' + (60 + number % 400) * interval '1 ms' + case when bit
                           = 1 and number % 10 = 0 then interval '6 seconds' else interval '0' end,
                       case when bit = 1 and number % 10 = 0 then 'SmtpCommandException: 550 no such mailbox ' || $2 end
                from made, step_catalogue where active and not (number % 5 = 1 and number < 100))
            insert into step_attempts (subject_id, step, started_at, ended_at, attempt, next_at, fault, host)
            select id, step, created_at + interval '30 ms' + (a - 1) * interval '3 seconds',
                created_at + interval '130 ms' + (a - 1) * interval '3 seconds', a,
                   case when a < 3 then created_at + interval '30 ms' + a * interval '3 seconds' end,
                       'SmtpCommandException: 550 no such mailbox ' || $2, 'worker-1'
            from made, step_catalogue, generate_series(1, 3) a where bit = 1 and number % 10 = 0
            """,
            count,
            said
        );

    /// <summary>Writes effects, messages that are late, delayed and quarantined, and a history.</summary>
    public static async Task RestAsync(TestDatabase database)
    {
        await database.ExecuteAsync(
            $"""
            insert into effects (subject_id, effect, message_id, step, state, reference)
                select subject_id, step, gen_random_uuid(), step, 2, $1 from step_runs where status = {StepStatus.Done:D} limit 400
            """,
            Hostile
        );
        await database.ExecuteAsync(
            $"""
            insert into effects (subject_id, effect, message_id, step, state, reference)
                select subject_id, step, gen_random_uuid(), step, 3, $1 from step_runs where status = {StepStatus.Failed:D}
                order by subject_id limit 20
            """,
            Hostile
        );
        await database.ExecuteAsync(
            """
            insert into outbox (id, message_id, exchange, routing_key, correlation_id, content_type, headers, body,
                mandatory, attempts, last_error, due_at, dead_at)
            select gen_random_uuid(), gen_random_uuid(), 'Orders.Contracts:OrderAccepted', '',
                (select id::text from orders order by id desc offset n % 50 limit 1), 'application/json', '{}',
                ''::bytea, true, n % 4,
                   case when n % 4 > 0 then 'NO_ROUTE ' || $1 end,
                       case when n % 3 = 1 then now() + interval '1 hour' + n * interval '1 second'
                       else now() - n * interval '1 second' end,
                       case when n % 3 = 2 then now() - n * interval '1 minute' end
            from generate_series(1, 240) n
            """,
            Hostile
        );
        await WaitingAsync(database);
        await HistoryAsync(database);
    }

    /// <summary>Writes two messages of the first step that wait for an hour: for a retry, and deferred.</summary>
    public static Task WaitingAsync(TestDatabase database) =>
        database.ExecuteAsync(
            """
            insert into outbox (id, message_id, exchange, routing_key, correlation_id, content_type, headers, body,
                mandatory, attempts, due_at)
            select gen_random_uuid(), gen_random_uuid(), (select step from step_catalogue where bit = 1), '',
                (select subject_id::text from step_runs where last_fault is not null order by subject_id limit 1),
                'application/json', format('{"Deferred-By":"%s","Deferred-First":%s}', cause,
                    (extract(epoch from now()) * 1000)::bigint), ''::bytea, true, 0, now() + interval '1 hour'
            from unnest(array['redelivery', 'breaker']) cause
            """
        );

    /// <summary>Writes a history of minutes and hours.</summary>
    public static Task HistoryAsync(TestDatabase database) =>
        database.ExecuteAsync(
            """
            insert into step_history (seconds, begins, step, done, failed, dead_lettered, run, queue, total)
            select s, date_trunc(case s when 60 then 'minute' else 'hour' end, now()) - n * s * interval '1 second',
                step, s * 40 + (n * 7) % 300, n % 9, n % 4,
                   array(select case when i between 20 and 34 then 20 + (i * n) % 60 else 0 end
                       from generate_series(0, 95) i), array(select case when i between 12 and 30 then 20 + (i * n) % 50
                       else 0 end from generate_series(0, 95) i), array(select case when i between 24 and 38
                       then 20 + (i * n) % 60 else 0 end from generate_series(0, 95) i)
            from unnest(array[60, 3600]) s, generate_series(1, 350) n, step_catalogue
            on conflict do nothing
            """
        );

    /// <summary>
    /// Writes failures of four causes, one of them with a payload nobody knows; one redrive that is done and one under
    /// way; workers alive, silent and stopped; a paused step and an open breaker.
    /// </summary>
    public static async Task FailuresAsync(TestDatabase database, int count)
    {
        await database.ExecuteAsync(
            """
            with dead_lettered as (select id, row_number() over (order by id desc) as n,
                (select step from step_catalogue where bit = 1) as step from orders limit $1)
            insert into failures (id, state, kind, queue, identity, generation, copies, message_id, step, message_type,
                subject_id, fault_type, fault_message, stack, fingerprint, attempts, first_at, last_at,
                build, host, payload, body, content_type, headers, note)
            select uuidv7(-n * interval '1 second'), case when n % 11 = 0 then n % 5 + 2 else 1 end, 1,
                step || '_error', gen_random_uuid(), 0, 1, gen_random_uuid(), step,
                   case when n % 4 = 3 then 'Orders.Contracts:Nothing' else 'Orders.Contracts:OrderAccepted' end, id,
                   (array['MailKit.Net.Smtp.SmtpCommandException', 'System.TimeoutException', 'Npgsql.NpgsqlException',
                       'QueueWorkers.Steps.PermanentFaultException'])[n % 4 + 1],
                   (array['550 no such mailbox ', 'The warehouse did not answer in 10 s ',
                       'Timeout during reading attempt ', 'No such article '])[n % 4 + 1] || $2,
                   E'Orders.Workers.Email.ConfirmationEmailStep.Consume\nOrders.Infrastructure.Steps.StepPipeline.RunAsync', 'group' || n % 4, 3 + n % 5, now() - n * interval '2 minutes', now() - n * interval '1 minute',
                   '1.4.0', 'worker-1', jsonb_build_object('orderId', id, 'premium', false, 'acceptedAt', now(), 'note',
                       $2),
                   convert_to(jsonb_build_object('message', jsonb_build_object('orderId', id))::text, 'UTF8'),
                       'application/vnd.masstransit+json', jsonb_build_object('MT-Reason', $2),
                       case when n % 11 = 0 then $2 end
            from dead_lettered
            """,
            count,
            Hostile
        );
        await database.ExecuteAsync(
            $$"""
            with made as (
                insert into redrives (id, stage, created_by, created_at, reason, filter, canary, rate_per_second,
                    stop_percent, total, moved_at, finished_at, stopped_at, stopped_because)
                select uuidv7(-n * interval '1 hour'), case n when 1 then {{RedriveStage.Done:D}} else {{RedriveStage.Ramp:D}} end, 'otto',
                    now() - n * interval '1 hour', $1, '{"fault":"SmtpCommandException"}', 10, 50, 20, 12, now(), case n
                    when 1 then now() end,
                       case n when 2 then now() end, case n when 2 then 'Stopped by itself: 3 of 12 failed again.' end
                from generate_series(1, 2) n returning id, stage)
            insert into redrive_items (redrive_id, failure_id, state, note, generation, sent_at, settled_at)
            select made.id, f.id, case when n > 9 then {{RedriveItemState.Skipped:D}} when n > 7 then {{RedriveItemState.FailedAgain:D}}
                when made.stage = {{RedriveStage.Done:D}} then {{RedriveItemState.Done:D}}
                else {{RedriveItemState.Waiting:D}} end,
                case when n > 7 then $1 end, 1, now(), now()
            from made, (select id, row_number() over (order by id) as n from failures limit 12) f
            """,
            Hostile
        );
        await database.ExecuteAsync(
            """
            insert into workers (id, host, process_id, version, steps, running, started_at, last_seen_at, stopped_at,
                runs, drain_asked_at, drained_at, drain_by, drain_reason)
            select uuidv7(), 'worker-' || n, 1, '1.4.' || n, (select array_agg(step) from step_catalogue), n,
                now() - n * interval '1 hour', now() + case when n = 2 then interval '-5 minutes'
                else interval '1 hour' end, case when n = 3 then now() end,
                   case when n = 1 then (select jsonb_agg(jsonb_build_object('step', 'hurried', 'messageId',
                       gen_random_uuid(), 'subjectId', id, 'attempt', 2, 'since', created_at))
                       from (select id, created_at from orders order by id desc limit 5) o) else '[]' end,
                   case when n > 3 then now() - interval '3 minutes' end, case when n = 5 then now() end,
                       case when n > 3 then 'otto' else '' end, case when n > 3 then $1 else '' end
            from generate_series(1, 5) n
            """,
            Hostile
        );
        await database.ExecuteAsync(
            """
            insert into step_builds (step, build, first_seen_at)
                select step, '1.' || n || '.0', now() - n * interval '25 minutes' + position * interval '20 seconds'
                from step_catalogue, generate_series(1, 3) n
            on conflict (step, build) do nothing
            """
        );
        await database.ExecuteAsync(
            "insert into step_controls (step, paused, changed_by, reason) select step, true, 'otto', $1 from step_catalogue where bit = 2",
            Hostile
        );
        await database.ExecuteAsync(
            $"insert into breakers (dependency, state, trips, opened_at, retry_at, reason, changed_at) values ('smtp', 1, 2, now(), now() + interval '1 minute', $1, now()) on conflict (dependency) do update set state = {BreakerState.Open:D}, opened_at = now()",
            Hostile
        );
    }

    /// <summary>A failure that is dead-lettered, and a redrive that is under way.</summary>
    public static async Task<(Guid Failure, Guid Redrive)> FailureAsync(TestDatabase database) =>
        (
            await FindAsync(
                database,
                $"select id from failures where state = {FailureState.Failed:D} and message_type like '%OrderAccepted' order by id desc limit 1"
            ),
            await FindAsync(database, $"select id from redrives where stage = {RedriveStage.Ramp:D} limit 1")
        );

    /// <summary>The worker of <see cref="FailuresAsync"/> that is named so.</summary>
    public static Task<Guid> WorkerAsync(TestDatabase database, string host) =>
        FindAsync(database, $"select id from workers where host = '{host}'");

    /// <summary>The newest order that is dead-lettered.</summary>
    public static Task<Guid> FailedOrderAsync(TestDatabase database) =>
        FindAsync(database, "select order_id from order_progress where failed <> 0 order by order_id desc limit 1");

    private static async Task<Guid> FindAsync(TestDatabase database, string sql) =>
        (Guid)(await database.RowsAsync(sql))[0][0]!;
}
