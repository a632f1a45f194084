namespace QueueWorkers.Outbox.Relaying;

/// <summary>A message that was not sent: how many times now, why, when to try again, and whether to stop trying.</summary>
internal readonly record struct PublishFailure(OutboxMessage Message, short Attempts, string? Error, TimeSpan Wait, bool Dead)
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(5);

    /// <summary>
    /// A silent broker costs the row nothing. A full queue makes it wait, but never quarantines it. A refusal counts: the waits double, and the last one is for ever.
    /// </summary>
    public static PublishFailure Of(OutboxMessage message, PublishOutcome outcome, int maxAttempts)
    {
        if (outcome.Status == PublishStatus.Unsent)
            return new PublishFailure(message, message.Attempts, null, OutboxTable.Lease, false);
        if (outcome.Status == PublishStatus.Full)
            return new PublishFailure(message, message.Attempts, outcome.Error, OutboxTable.Lease, false);

        var attempts = (short)(message.Attempts + 1);
        var wait = TimeSpan.FromSeconds(Math.Min(Math.Pow(2, attempts), LongestWait.TotalSeconds));
        return new PublishFailure(message, attempts, outcome.Error, wait, attempts >= maxAttempts);
    }
}
