using Microsoft.EntityFrameworkCore.Migrations;
using Orders.Infrastructure.Erasing;
using Orders.Infrastructure.Keys;
using QueueWorkers.Erasing;
using QueueWorkers.Operators.Accounts;

namespace Orders.Infrastructure.Deployment;

/// <summary>
/// The part of the migration <c>Initial</c> that the model cannot express. Kept apart from the generated file, which
/// calls <see cref="Apply"/> as its last statement:
/// whoever generates <c>Initial</c> again adds only that call.
/// </summary>
internal static class InitialSql
{
    // Fill factors leave room on the page for the updates that a row is known to get (HOT: no index is touched).
    // Vacuum thresholds of the outbox are in rows, not in shares: dead rows must go soon, whatever the table's size.
    // No foreign keys from lines and progress to their order: one statement writes all of them (OrderIntakeSql), and
    // four checks per order cost more than the insert.
    // PDFs are compressed already: EXTERNAL spares the database the attempt.
    private const string Storage = """
        alter table order_lines drop constraint fk_order_lines_orders_order_id;
        alter table order_progress drop constraint fk_order_progress_orders_order_id;
        alter table outbox set (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 20000, autovacuum_vacuum_insert_threshold = -1);
        alter table order_progress set (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.02);
        alter table stock set (fillfactor = 25, autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 5000);
        alter table invoice_counter set (fillfactor = 10);
        alter table step_runs set (fillfactor = 90);
        alter table effects set (fillfactor = 90);
        alter table invoices alter column pdf set storage external;
        alter table credit_notes alter column pdf set storage external;
        """;

    private const string Rows = """
        insert into invoice_counter (series, last) values ('invoice', 0), ('credit-note', 0);
        """;

    // The audit record is a chain of hashes, written by the database and insert-only for everybody.
    private const string Audit = """
        create function audit_hash(
            id bigint, at timestamptz, who text, role text, action text, target text, filter jsonb, count bigint,
                reason text, result text, previous bytea)
        returns bytea language sql immutable as $$
            select sha256(previous || convert_to(jsonb_build_array(
                id, extract(epoch from at), who, role, action, target, filter, count, reason, result)::text, 'UTF8'))
                    $$;

        create function audit_chain() returns trigger language plpgsql as $$
        begin
            -- Held until the commit: the next writer sees this row or, after a rollback, its predecessor.
            perform pg_advisory_xact_lock(x'4f72646572730002'::bigint);
            new.at := clock_timestamp();
            select a.id + 1, a.hash into new.id, new.previous_hash from audit a order by a.id desc limit 1;
            new.id := coalesce(new.id, 1);
            new.previous_hash := coalesce(new.previous_hash, ''::bytea);
            new.hash := audit_hash(
                new.id, new.at, new.who, new.role, new.action, new.target, new.filter, new.count, new.reason,
                    new.result, new.previous_hash);
            return new;
        end $$;

        create function audit_unchanged() returns trigger language plpgsql as $$
        begin
            raise exception 'The audit record is insert-only: % is refused.', tg_op;
        end $$;

        create trigger audit_chain before insert on audit for each row execute function audit_chain();
        create trigger audit_unchanged before update or delete or truncate on audit
            for each statement execute function audit_unchanged();
        """;

    // Operators say InvalidOperationException and OrderAccepted, not their full names.
    // try_jsonb: what is no JSON for PostgreSQL (malformed, an escaped NUL, a number beyond all bounds) is kept as
    // bytes only.
    private const string Search = """
        create extension if not exists pg_trgm;
        create index failures_text on failures using gin ((fault_message || ' ' || coalesce(payload::text, '')) gin_trgm_ops);
        create index failures_fault on failures (state, substring(fault_type from '[^.]+$'), id);
        create index failures_type on failures (state, split_part(message_type, ':', 2), id);
        create index orders_customer on orders (lower(customer_email) text_pattern_ops);
        create function try_jsonb(text) returns jsonb language plpgsql immutable parallel safe as $$
        begin
            return $1::jsonb;
        exception when others then
            return null;
        end $$;
        """;

    // The API writes secrets and must not read them: it cannot say "previous_secret = secret" itself.
    // While an earlier rotation's old secret still signs, it is kept: a client whose answer got lost rotates again, and
    // its server has no other one.
    private const string Webhooks = """
        create function webhook_keep_secret() returns trigger language plpgsql as $$
        begin
            if old.previous_until > now() then
                new.previous_secret := old.previous_secret;
            else
                new.previous_secret := old.secret;
            end if;
            return new;
        end $$;
        create trigger webhook_keep_secret before update of secret on webhooks
            for each row execute function webhook_keep_secret();
        """;

    /// <summary>Adds it to the migration.</summary>
    public static void Apply(MigrationBuilder migration)
    {
        foreach (
            var sql in (string[])
                [
                    Storage,
                    Rows,
                    Audit,
                    Search,
                    Webhooks,
                    ErasureSql.Function,
                    OrderErasureSql.Functions,
                    AccountFunctions.Sql,
                    ClientKeyFunctions.Sql,
                ]
        )
            migration.Sql(sql);
    }
}
