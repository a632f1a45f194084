using Npgsql;
using QueueWorkers.Erasing;
using QueueWorkers.Operators.Accounts;

namespace QueueWorkers.Deployment.Framework;

/// <summary>
/// What the framework's tables need and no model can express: functions, triggers, indexes of expressions. The
/// deployment puts it in place behind the application's migrations, so that an application writes none of it into a
/// migration of its own.
/// </summary>
public static class FrameworkSql
{
    // Created together with everything else here, or not at all.
    private const string IsThere = "select to_regprocedure('try_jsonb(text)') is not null";

    // Vacuum thresholds of the outbox are in rows, not in shares: dead rows must go soon, whatever the table's size.
    // Fill factors leave room on the page for the updates that a row is known to get (HOT: no index is touched).
    private const string Storage = """
        alter table outbox set (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 20000,
            autovacuum_vacuum_insert_threshold = -1);
        alter table step_runs set (fillfactor = 90);
        alter table effects set (fillfactor = 90);
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
        create function try_jsonb(text) returns jsonb language plpgsql immutable parallel safe as $$
        begin
            return $1::jsonb;
        exception when others then
            return null;
        end $$;
        """;

    /// <summary>
    /// Puts it in place, unless it is there. In one transaction: a process that dies here leaves nothing, and the next
    /// deployment begins again.
    /// </summary>
    /// <param name="connection">The owner's, open and outside of a transaction; the tables are there.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public static async Task ApplyAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using (var look = new NpgsqlCommand(IsThere, connection))
        {
            if (await look.ExecuteScalarAsync(cancellationToken) is true)
                return;
        }

        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        foreach (var sql in (string[])[Storage, Audit, Search, ErasureSql.Function, AccountFunctions.Sql])
        {
            await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
            await command.ExecuteNonQueryAsync(cancellationToken);
        }

        await transaction.CommitAsync(cancellationToken);
    }
}
