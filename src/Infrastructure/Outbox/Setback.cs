using Orders.Infrastructure.Coalescing;

namespace Orders.Infrastructure.Outbox;

/// <summary>A message that was not sent: how many times now, why, when to try again, and whether to stop trying.</summary>
internal readonly record struct Setback(OutboxMessage Message, short Attempts, string? Error, TimeSpan Wait, bool Dead)
{
    private const int LongestError = 2000;

    // Longer would keep a message from a queue that has been there again for long.
    private static readonly TimeSpan LongestBackOff = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(5);

    /// <summary>
    /// A silent broker, and a full queue, make the row wait, but never quarantine it. The other queues of its exchange get a copy with every try, so the waits grow with its age.
    /// A refusal counts: the waits double, and the last one is for ever.
    /// </summary>
    public static Setback Of(OutboxMessage message, PublishOutcome outcome, int maxAttempts)
    {
        if (outcome.Status == PublishStatus.Unsent)
            return new Setback(message, message.Attempts, null, OutboxTable.Lease, false);
        if (outcome.Status is PublishStatus.Full or PublishStatus.Silent)
            return new Setback(message, message.Attempts, StorableText.OfNullable(outcome.Error, LongestError), BackOff(TimedId.AgeOf(message.Id)), false);

        var attempts = (short)(message.Attempts + 1);
        var wait = TimeSpan.FromSeconds(Math.Min(Math.Pow(2, attempts), LongestWait.TotalSeconds));
        return new Setback(message, attempts, StorableText.OfNullable(outcome.Error, LongestError), wait, attempts >= maxAttempts);
    }

    // Half as long again each time, without a counter: the row's id says when it was written.
    private static TimeSpan BackOff(TimeSpan age) => TimeSpan.FromTicks(Math.Clamp(age.Ticks / 2, OutboxTable.Lease.Ticks, LongestBackOff.Ticks));
}
