using Microsoft.EntityFrameworkCore.Migrations;
using Orders.Infrastructure.Erasing;
using Orders.Infrastructure.Keys;

namespace Orders.Infrastructure.Deployment;

/// <summary>
/// The part of the migration <c>Initial</c> that the model cannot express. What the framework's tables need, the
/// deployment adds (<see cref="QueueWorkers.Deployment.Framework.FrameworkSql"/>). Kept apart from the generated file,
/// which calls <see cref="Apply"/> as its last statement: whoever generates <c>Initial</c> again adds only that call.
/// </summary>
internal static class InitialSql
{
    // Fill factors leave room on the page for the updates that a row is known to get (HOT: no index is touched).
    // No foreign keys from lines and progress to their order: one statement writes all of them (OrderIntakeSql), and
    // four checks per order cost more than the insert.
    // PDFs are compressed already: EXTERNAL spares the database the attempt.
    private const string Storage = """
        alter table order_lines drop constraint fk_order_lines_orders_order_id;
        alter table order_progress drop constraint fk_order_progress_orders_order_id;
        alter table order_progress set (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.02);
        alter table stock set (fillfactor = 25, autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 5000);
        alter table invoice_counter set (fillfactor = 10);
        alter table invoices alter column pdf set storage external;
        alter table credit_notes alter column pdf set storage external;
        """;

    private const string Search = """
        create index orders_customer on orders (lower(customer_email) text_pattern_ops);
        """;

    private const string Rows = """
        insert into invoice_counter (series, last) values ('invoice', 0), ('credit-note', 0);
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
            var sql in (string[])[Storage, Search, Rows, Webhooks, OrderErasureSql.Functions, ClientKeyFunctions.Sql]
        )
            migration.Sql(sql);
    }
}
