using Orders.Contracts;
using QueueWorkers.Idempotency;
using QueueWorkers.Outbox;
using QueueWorkers.PersonalData;

namespace Orders.Infrastructure.Feeding;

/// <summary>
/// Makes the message with which a step is fed an order that is already there: for a replay, or because the order has
/// waited too long. The message has an id of its own; that the order's effect happens once is seen to by the effect
/// row, and outside by keys that are made of the order.
/// </summary>
internal static class OrderFeed
{
    private static readonly string Accepted = MessageName.ExchangeOf(typeof(OrderAccepted));
    private static readonly string Reserved = MessageName.ExchangeOf(typeof(StockReserved));
    private static readonly string Completed = MessageName.ExchangeOf(typeof(OrderCompleted));

    /// <summary>The message types that can be made of an order, as exchanges.</summary>
    public static IReadOnlyList<string> Feedable { get; } = [Accepted, Reserved, Completed];

    /// <summary>
    /// Says in SQL whether an order <c>o</c> with its progress <c>p</c> is so far that step <c>c</c> of the catalogue
    /// may be fed with it: the message that the step consumes has been published before, at least once. The effect is
    /// read by key for each order, never all effects for a few orders.
    /// </summary>
    public static string IsReady { get; } =
        $"""
            ('{Accepted}' = any(c.consumes)
                or ('{Reserved}' = any(c.consumes) and p.rejected_at is null
                    and (select e.state from effects e
                        where e.subject_id = o.id and e.effect = 'inventory') = {EffectState.Done:D})
                or ('{Completed}' = any(c.consumes) and p.completed_at is not null))
            """;

    /// <summary>Makes it.</summary>
    /// <param name="personal">Makes the values of the message's keys.</param>
    /// <param name="order">The order.</param>
    /// <param name="step">The step, and nobody else, gets it.</param>
    /// <param name="consumes">What the step consumes.</param>
    /// <param name="priority">Its class; null is the broker's normal.</param>
    public static OutboxMessage MessageOf(
        PersonalDataHash personal,
        PastOrder order,
        string step,
        IReadOnlyList<string> consumes,
        short? priority
    ) =>
        consumes.Contains(Accepted)
            ? Create(
                new OrderAccepted(order.Id, order.Premium, order.CreatedAt),
                OutgoingMessage.IdOf<OrderAccepted>(order.Id),
                personal,
                order,
                step,
                priority
            )
        : consumes.Contains(Reserved)
            ? Create(
                new StockReserved(order.Id, order.CreatedAt),
                OutgoingMessage.IdOf<StockReserved>(OutgoingMessage.IdOf<OrderAccepted>(order.Id), "inventory"),
                personal,
                order,
                step,
                priority
            )
        : Create(
            new OrderCompleted(order.Id, order.CompletedAt ?? order.CreatedAt),
            null,
            personal,
            order,
            step,
            priority
        );

    private static OutboxMessage Create<T>(
        T message,
        Guid? id,
        PersonalDataHash personal,
        PastOrder order,
        string step,
        short? priority
    )
        where T : class =>
        OutgoingMessage.Create(
            message,
            order.Id,
            priority: priority,
            queue: step,
            id: id,
            keys: OrderKeys.Of(personal, order.CustomerEmail)
        );
}

/// <summary>An order that is already there.</summary>
/// <param name="Id">The order.</param>
/// <param name="Premium">Its class.</param>
/// <param name="CreatedAt">When it was accepted.</param>
/// <param name="CompletedAt">When its last step was done; null before.</param>
/// <param name="CustomerEmail">The customer's mail address, of which the message's keys are made.</param>
internal readonly record struct PastOrder(
    Guid Id,
    bool Premium,
    DateTimeOffset CreatedAt,
    DateTimeOffset? CompletedAt,
    string CustomerEmail
);
