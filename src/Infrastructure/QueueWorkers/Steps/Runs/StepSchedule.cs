namespace QueueWorkers.Steps.Runs;

/// <summary>When the next attempt follows: the whole retry model in one place.</summary>
public static class StepSchedule
{
    private const double MostJitter = 0.2;

    /// <summary>In how long the next attempt follows; null when the message is to be dead-lettered.</summary>
    /// <param name="policy">The step's policy.</param>
    /// <param name="fault">Why the last attempt failed.</param>
    /// <param name="messageId">The original message id; jitter derives from it, so whoever asks gets the same
    /// answer.</param>
    /// <param name="redeliveries">Redeliveries so far.</param>
    /// <param name="retries">Retries in memory since the last delivery.</param>
    public static TimeSpan? NextAttempt(
        StepPolicy policy,
        Exception fault,
        Guid messageId,
        int redeliveries,
        int retries
    )
    {
        if (IsPermanent(policy, fault))
            return null;
        if (IsInMemory(policy, fault, retries))
            return policy.Retry.From * Math.Pow(2, retries);
        return redeliveries < policy.Redelivery.Delays.Count
            ? Redelivered(policy.Redelivery.Delays[redeliveries], RequestedWait(fault), messageId, redeliveries)
            : null;
    }

    /// <summary>Whether the next attempt of a fault that repeating may help is made at once, in memory.</summary>
    public static bool IsInMemory(StepPolicy policy, Exception fault, int retries) =>
        retries < policy.Retry.Count && !NamesWait(fault);

    /// <summary>
    /// Whether a fault names a wait (<see cref="IRetryAfter"/>). Retries in memory would come too early for it and hold
    /// their slot: a redelivery follows at once.
    /// </summary>
    public static bool NamesWait(Exception fault) => RequestedWait(fault) > TimeSpan.Zero;

    /// <summary>The least wait that a fault asks for; zero when it names none.</summary>
    public static TimeSpan RequestedWait(Exception fault) =>
        fault is IRetryAfter { RetryAfter: { } wait } && wait > TimeSpan.Zero ? wait : TimeSpan.Zero;

    /// <summary>The wait before a redelivery: the policy's, or the requested one if that is longer.</summary>
    public static TimeSpan Redelivered(TimeSpan planned, TimeSpan requested, Guid messageId, int redeliveries) =>
        WithJitter(planned > requested ? planned : requested, messageId, redeliveries);

    /// <summary>Whether repeating cannot help.</summary>
    public static bool IsPermanent(StepPolicy policy, Exception fault) =>
        fault is PermanentFaultException || policy.PermanentFaults.Any(type => type.IsInstanceOfType(fault));

    /// <summary>A delay lengthened by up to 20 %, so that what failed together does not come back together.</summary>
    public static TimeSpan WithJitter(TimeSpan delay, Guid messageId, int redeliveries)
    {
        // The tail of a message id is random in every scheme in use; the multiplier spreads the deliveries of one
        // message.
        Span<byte> bytes = stackalloc byte[16];
        messageId.TryWriteBytes(bytes);
        var share =
            unchecked(BitConverter.ToUInt32(bytes[12..]) + ((uint)redeliveries * 2654435761u)) / (double)uint.MaxValue;
        return delay * (1 + (MostJitter * share));
    }
}
