using Microsoft.Extensions.DependencyInjection;
using Orders.Chaos.Tests.Variants.Broken;

namespace Orders.Chaos.Tests.Variants;

/// <summary>Mistakes that systems of this kind are known for, each really made, in the real system.</summary>
internal static class BrokenVariants
{
    public static IEnumerable<Variant> All { get; } =
    [
        new("a message is acked before its work is committed", Fault.WorkersKilled, "accepted orders come to an end")
        {
            Step = EarlyAck.In,
        },
        new("Idempotency-Keys without a unique key", Fault.PostedAgain, "one order per key")
        {
            Break = stage =>
                stage.TestSystem.Database.ExecuteAsync("alter table posted_keys drop constraint pk_posted_keys"),
        },
        new("no permanent key of effects, no key of messages", Fault.DeliveredAgain, "no stock moved twice")
        {
            Break = stage =>
                stage.TestSystem.Database.ExecuteAsync(
                    $"""
                    alter table stock_movements drop constraint pk_stock_movements;
                    {Forget("effects")};
                    {Forget("idempotency")}
                    """
                ),
        },
        new("messages published from memory instead of the outbox", Fault.BrokerAway, "accepted orders come to an end")
        {
            // The row is never written; the message is there only in the process that committed.
            Break = stage =>
                stage.TestSystem.Database.ExecuteAsync(
                    $"""
                    create function drop_row() returns trigger language plpgsql as $$ begin return null; end $$;
                    create trigger drop_row before insert on outbox for each row execute function drop_row()
                    """
                ),
        },
        new("outbox rows deleted before the broker's confirm", Fault.BrokerAway, "accepted orders come to an end")
        {
            HasOwnRelay = true,
            Services = services => services.AddHostedService<HastyRelay>(),
        },
        new("invoice numbers from a sequence instead of a counter", Fault.RolledBack, "invoice numbers have no gap")
        {
            Break = stage =>
                stage.TestSystem.Database.ExecuteAsync(
                    """
                    create sequence invoice_numbers;
                    create function take_number() returns trigger language plpgsql as $$ begin new.number := nextval('invoice_numbers'); return new; end $$;
                    create trigger take_number before insert on invoices for each row execute function take_number()
                    """
                ),
        },
        new("_error queues with a time to live", Fault.MailsRefused, "a message for each dead-lettered step")
        {
            Break = stage =>
                stage.TestSystem.Broker.SetPolicyAsync(
                    "short-lived",
                    "^.*_error$",
                    new Dictionary<string, object> { ["delivery-limit"] = -1, ["message-ttl"] = 1 },
                    isOperators: false
                ),
        },
        new("mails sent without a claim", Fault.MailAnswerLost, "no mail twice")
        {
            Step = step => CarelessStep<CarelessEmailStep>.InPlaceOf(step, "email"),
        },
        new("a new warehouse key for each attempt", Fault.WarehouseAnswerLost, "the warehouse told once")
        {
            Step = step => CarelessStep<ForgetfulWarehouseStep>.InPlaceOf(step, "warehouse"),
        },
        new("a step that swallows its exceptions", Fault.WarehouseAway, "the warehouse told of each completed order")
        {
            Step = step => step.Name == "warehouse" ? Swallowing.In(step) : step,
        },
        new("documents cut off while they are stored", Fault.None, "documents open and match their checksum")
        {
            Break = stage =>
                stage.TestSystem.Database.ExecuteAsync(
                    """
                    create function cut_off() returns trigger language plpgsql as $$ begin new.pdf := substr(new.pdf, 1,
                        100); return new; end $$;
                    create trigger cut_off before update of pdf on invoices for each row execute function cut_off()
                    """
                ),
        },
        new("stock written without its movement", Fault.None, "stock adds up and is never below zero")
        {
            Break = stage =>
                stage.TestSystem.Database.ExecuteAsync(
                    """
                    create function double_it() returns trigger language plpgsql as $$ begin new.on_hand := new.on_hand
                        - 1; return new; end $$;
                    create trigger double_it before update on stock for each row execute function double_it()
                    """
                ),
        },
    ];

    // Rows are written as they should be, and gone with the same statement.
    private static string Forget(string table) =>
        $"""
            create function forget_{table}() returns trigger language plpgsql as $$ begin delete
                from {table}; return null; end $$;
            create trigger forget_{table} after insert on {table} for each statement execute function forget_{table}()
            """;
}
