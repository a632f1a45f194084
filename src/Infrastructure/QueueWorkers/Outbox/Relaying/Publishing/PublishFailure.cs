using QueueWorkers.GroupCommit;
using QueueWorkers.Outbox.Ids;

namespace QueueWorkers.Outbox.Relaying.Publishing;

/// <summary>
/// A message that was not sent: how many times now, why, when to try again, and whether to stop trying.
/// </summary>
internal readonly record struct PublishFailure(
    OutboxMessage Message,
    short Attempts,
    string? Error,
    TimeSpan Wait,
    bool Dead
)
{
    private const int LongestError = 2000;

    // Longer would keep a message from a queue that has been there again for long.
    private static readonly TimeSpan LongestBackOff = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(5);

    /// <summary>
    /// A broker that went away changes nothing: the row keeps the error that says whether it was sent before.
    /// A silent broker, and a full queue, make the row wait, but never quarantine it. The other queues of its exchange
    /// get a copy with every try, so the waits grow with its age. A destination that takes nothing at all is not tried
    /// with every row (<see cref="SlowDestinations"/>).
    /// A refusal counts: the waits double, and the last one is for ever.
    /// </summary>
    public static PublishFailure Of(OutboxMessage message, PublishOutcome outcome, int maxAttempts)
    {
        if (outcome.Status == PublishStatus.Unsent)
            return new PublishFailure(message, message.Attempts, message.LastError, OutboxTable.Lease, false);
        if (outcome.Status is PublishStatus.Full or PublishStatus.Silent)
            return new PublishFailure(
                message,
                message.Attempts,
                StorableText.OfNullable(PersonalText.OfNullable(outcome.Error), LongestError),
                BackOff(TimedId.AgeOf(message.Id)),
                false
            );

        var attempts = (short)(message.Attempts + 1);
        var wait = TimeSpan.FromSeconds(Math.Min(Math.Pow(2, attempts), LongestWait.TotalSeconds));
        return new PublishFailure(
            message,
            attempts,
            StorableText.OfNullable(PersonalText.OfNullable(outcome.Error), LongestError),
            wait,
            attempts >= maxAttempts
        );
    }

    /// <summary>A row that was never sent and is left in the table for a lease: it is offered in memory.</summary>
    public static PublishFailure Later(OutboxMessage message) =>
        new(message, message.Attempts, null, OutboxTable.Lease, false);

    /// <summary>
    /// A row that was sent before and is not sent now, because its destination takes nothing: it is due when that is
    /// back.
    /// </summary>
    public static PublishFailure Waiting(OutboxMessage message, string reason) =>
        new(
            message,
            message.Attempts,
            StorableText.OfNullable($"waits while nothing is taken there: {reason}", LongestError),
            SharedTrials.RowsWait,
            false
        );

    // Half as long again each time, without a counter: the row's id says when it was written.
    private static TimeSpan BackOff(TimeSpan age) =>
        TimeSpan.FromTicks(Math.Clamp(age.Ticks / 2, OutboxTable.Lease.Ticks, LongestBackOff.Ticks));
}
