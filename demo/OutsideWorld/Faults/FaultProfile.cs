namespace Orders.OutsideWorld.Faults;

/// <summary>How one part of the world behaves.</summary>
/// <typeparam name="TMode">The modes of that part.</typeparam>
/// <param name="Mode">What happens to whatever is hit.</param>
/// <param name="Delay">How long the mode <c>slow</c> holds its answer back, and when <c>retryafter</c> and
/// <c>retrydate</c> want the call again; other modes do not look at it.</param>
/// <param name="Share">
/// How many are hit, 0–1. Counted, not drawn: of n mails or calls since the behaviour was set, the first n have
/// ⌊n·share⌋ hits, so that 0.2 hits the 5th, 10th, 15th … and a test can say beforehand which.
/// </param>
public sealed record FaultProfile<TMode>(TMode Mode, TimeSpan Delay = default, decimal Share = 1m)
    where TMode : struct, Enum
{
    /// <summary>
    /// Whether the reply to each mail that this mode accepts is lost, as in <see cref="SmtpMode.Vanish"/>: the mail is
    /// delivered, and the sender cannot know. For SMTP only.
    /// </summary>
    public bool LoseReply { get; init; }

    internal bool Hits(long number) => decimal.Floor(number * Share) > decimal.Floor((number - 1) * Share);
}
