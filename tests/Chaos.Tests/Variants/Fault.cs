using Orders.Contracts;
using Orders.OutsideWorld.Faults;
using Orders.Testing;
using Orders.Testing.Servers;
using QueueWorkers.Outbox;

namespace Orders.Chaos.Tests.Variants;

/// <summary>Orders, and what is done to the system meanwhile. The unbroken system must stand it.</summary>
/// <param name="Name">What happens.</param>
/// <param name="PlayAsync">Lets it happen.</param>
internal sealed record Fault(string Name, Func<Stage, Task> PlayAsync)
{
    private const int Orders = 12;
    private static readonly TimeSpan Enough = TimeSpan.FromSeconds(8);

    /// <summary>Each client posts its order again under the same key.</summary>
    public static Fault PostedAgain { get; } =
        new("every order posted twice under its key", stage => stage.PostAsync(Orders, twice: true));

    /// <summary>Every message comes a second time, long after the first.</summary>
    public static Fault DeliveredAgain { get; } =
        new(
            "every message delivered twice",
            async stage =>
            {
                string[] exchanges =
                [
                    MessageName.ExchangeOf(typeof(OrderAccepted)),
                    MessageName.ExchangeOf(typeof(StockReserved)),
                ];
                var listeners = await Task.WhenAll(exchanges.Select(e => stage.TestSystem.Broker.ListenAsync(e)));
                await stage.PostAsync(Orders);
                await stage.SettleAsync(Enough * 3);
                foreach (var (exchange, listener) in exchanges.Zip(listeners))
                {
                    var messages = await stage.TestSystem.Broker.TakeAllAsync(listener);
                    Assert.That(messages, Has.Count.GreaterThanOrEqualTo(Orders - 2), $"messages through {exchange}");
                    foreach (var message in messages)
                        await stage.TestSystem.Broker.PublishBytesAsync(
                            exchange,
                            message.Body,
                            new ByHand { Id = Guid.Parse(message.BasicProperties.MessageId!) }
                        );
                }
            }
        );

    /// <summary>
    /// The workers are ended while every message is in their hands and the database is out of their reach.
    /// </summary>
    public static Fault WorkersKilled { get; } =
        new(
            "workers killed in the middle of every step",
            async stage =>
            {
                stage.DatabaseNetwork.Cut();
                await stage.PostAsync(Orders);
                await Eventually.That(
                    () => stage.TestSystem.Broker.CountAsync("inventory"),
                    Is.Zero,
                    "orders that wait for the inventory and are not in its hands"
                );
                await stage.KillWorkersAsync();
                stage.DatabaseNetwork.Restore();
                await stage.StartWorkersAsync();
            }
        );

    /// <summary>The broker is out of everybody's reach while orders are accepted.</summary>
    public static Fault BrokerAway { get; } =
        new(
            "broker away while orders are accepted",
            async stage =>
            {
                stage.BrokerNetwork.Cut();
                await stage.PostAsync(Orders);
                var refused = stage.BrokerNetwork.Refused;
                await Eventually.That(
                    () => stage.BrokerNetwork.Refused,
                    Is.GreaterThan(refused + 3),
                    "tries to reach the broker while the messages wait"
                );
                stage.BrokerNetwork.Restore();
            }
        );

    /// <summary>
    /// One transaction in three that issues invoice numbers is rolled back by a serialization failure.
    /// </summary>
    public static Fault RolledBack { get; } =
        new(
            "every third transaction with invoice numbers rolled back",
            async stage =>
            {
                await stage.TestSystem.Database.ExecuteAsync(
                    """
                    create sequence turns;
                    create function roll_back() returns trigger language plpgsql as $$ begin
                        if nextval('turns') % 3 = 1 then raise exception 'rolled back for the test' using errcode =
                            '40001'; end if;
                        return new;
                    end $$;
                    create trigger roll_back before update on invoice_counter for each row execute function roll_back()
                    """
                );
                for (var n = 0; n < Orders; n++)
                    await stage.PostAsync(1);
            }
        );

    /// <summary>The mail server takes each mail and hangs up instead of answering.</summary>
    public static Fault MailAnswerLost { get; } =
        new(
            "mail accepted, answer lost",
            async stage =>
            {
                stage.World.Behaviour.Smtp.Set(new FaultProfile<SmtpMode>(SmtpMode.Vanish));
                await stage.PostAsync(Orders);
                await Eventually.That(
                    () => stage.World.Mails.DeliveredCount,
                    Is.GreaterThanOrEqualTo(Orders - 2),
                    "mails whose answer was lost"
                );
                stage.World.Behaviour.Smtp.Set(new FaultProfile<SmtpMode>(SmtpMode.Ok));
            }
        );

    /// <summary>The mail server refuses every mail for good: all are dead-lettered.</summary>
    public static Fault MailsRefused { get; } =
        new(
            "every mail refused for good",
            async stage =>
            {
                stage.World.Behaviour.Smtp.Set(new FaultProfile<SmtpMode>(SmtpMode.Reject));
                await stage.PostAsync(Orders);
            }
        );

    /// <summary>The warehouse takes each call and hangs up instead of answering.</summary>
    public static Fault WarehouseAnswerLost { get; } =
        new(
            "warehouse call accepted, answer lost",
            async stage =>
            {
                stage.World.Behaviour.Warehouse.Set(new FaultProfile<WarehouseMode>(WarehouseMode.Vanish));
                await stage.PostAsync(Orders);
                await Eventually.That(
                    () => stage.World.Warehouse.Calls.Count(c => c.IsAccepted),
                    Is.GreaterThanOrEqualTo(Orders - 2),
                    "calls whose answer was lost"
                );
                stage.World.Behaviour.Warehouse.Set(new FaultProfile<WarehouseMode>(WarehouseMode.Ok));
            }
        );

    /// <summary>The warehouse is out of order for a while.</summary>
    public static Fault WarehouseAway { get; } =
        new(
            "warehouse answers 503 for a while",
            async stage =>
            {
                stage.World.Behaviour.Warehouse.Set(new FaultProfile<WarehouseMode>(WarehouseMode.Error));
                await stage.PostAsync(Orders);
                await Eventually.That(
                    () => stage.World.Warehouse.Calls.Count(c => !c.IsAccepted),
                    Is.GreaterThanOrEqualTo(Orders - 2),
                    "calls refused for now"
                );
                stage.World.Behaviour.Warehouse.Set(new FaultProfile<WarehouseMode>(WarehouseMode.Ok));
            }
        );

    /// <summary>Nothing at all.</summary>
    public static Fault None { get; } = new("no fault", stage => stage.PostAsync(Orders));

    /// <summary>All of them.</summary>
    public static IEnumerable<Fault> All { get; } =
    [
        PostedAgain,
        DeliveredAgain,
        WorkersKilled,
        BrokerAway,
        RolledBack,
        MailAnswerLost,
        MailsRefused,
        WarehouseAnswerLost,
        WarehouseAway,
    ];

    /// <inheritdoc />
    public override string ToString() => Name;
}
