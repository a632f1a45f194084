namespace Orders.Infrastructure;

/// <summary>
/// The classes of messages, as priorities of the broker (1–9, strict: a higher one is always delivered first). All
/// messages of an order keep its class, also when they are redelivered. Within a class, what a customer waits for now
/// goes before what was released by the clock, so that ten thousand orders due at the same moment hold nobody up.
/// That a strict order starves nobody is <see cref="Orders.Infrastructure.Feeding.OrderAging"/>'s work.
/// </summary>
public static class OrderPriority
{
    /// <summary>Cancellations: each spares work that waits behind it.</summary>
    public const short Cancellation = 8;

    /// <summary>Premium orders, and normal ones that have waited too long.</summary>
    public const short Premium = 7;

    /// <summary>Premium orders that were released at a time of their own.</summary>
    public const short PremiumReleased = 6;

    /// <summary>
    /// Normal orders that were released at a time of their own, and replays; normal ones have none, which is the
    /// broker's 4.
    /// </summary>
    public const short Released = 3;

    private const short Normal = 4;
    private const short LowestPremium = 5;

    /// <summary>The class of an order's messages.</summary>
    /// <param name="premium">Whether the order goes before normal ones.</param>
    /// <param name="released">Whether it waits for a time of its own.</param>
    /// <returns>Null for the broker's normal, 4.</returns>
    public static short? Of(bool premium, bool released) =>
        (premium, released) switch
        {
            (true, false) => Premium,
            (true, true) => PremiumReleased,
            (false, true) => Released,
            _ => null,
        };

    /// <summary>
    /// A lower lane of the same class, for the orders of a customer who has posted a lot lately: behind the class's
    /// others, before the next class's.
    /// </summary>
    /// <param name="priority">The class; null for the broker's normal, 4.</param>
    /// <param name="steps">How much lower, 1 or 2.</param>
    public static short Lower(short? priority, int steps) =>
        priority switch
        {
            >= PremiumReleased => (short)Math.Max(LowestPremium, priority.Value - steps),
            { } lower => (short)Math.Max(1, lower - steps),
            null => (short)(Normal - steps),
        };
}
