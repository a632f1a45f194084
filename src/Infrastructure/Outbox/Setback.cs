using Orders.Infrastructure.Coalescing;

namespace Orders.Infrastructure.Outbox;

/// <summary>A message that was not sent: how many times now, why, when to try again, and whether to stop trying.</summary>
internal readonly record struct Setback(OutboxMessage Message, short Attempts, string? Error, TimeSpan Wait, bool Dead)
{
    private const int LongestError = 2000;
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(5);

    /// <summary>
    /// A silent broker costs the row nothing. A full queue makes it wait, but never quarantines it. A refusal counts: the waits double, and the last one is for ever.
    /// </summary>
    public static Setback Of(OutboxMessage message, PublishOutcome outcome, int maxAttempts)
    {
        if (outcome.Status == PublishStatus.Unsent)
            return new Setback(message, message.Attempts, null, OutboxTable.Lease, false);
        if (outcome.Status == PublishStatus.Full)
            return new Setback(message, message.Attempts, StorableText.OfNullable(outcome.Error, LongestError), OutboxTable.Lease, false);

        var attempts = (short)(message.Attempts + 1);
        var wait = TimeSpan.FromSeconds(Math.Min(Math.Pow(2, attempts), LongestWait.TotalSeconds));
        return new Setback(message, attempts, StorableText.OfNullable(outcome.Error, LongestError), wait, attempts >= maxAttempts);
    }
}
