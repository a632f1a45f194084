using System.Globalization;
using MassTransit;
using QueueWorkers.Clocks;
using QueueWorkers.FlowControl;
using QueueWorkers.Outbox;
using QueueWorkers.Outbox.Relaying;

namespace QueueWorkers.Consuming;

/// <summary>
/// What a message that waits in the outbox for its step says in its headers: why, since when, how often it was
/// deferred, and the class it had before a failed attempt.
/// A redelivery begins a new count; what is redriven carries none of it.
/// </summary>
internal static class Deferral
{
    /// <summary>Header: a <see cref="DeferralCause"/>, as <see cref="NameOf"/> writes it.</summary>
    public const string Cause = OutboxTable.CauseHeader;

    /// <summary>Header: how often in a row it was deferred for that cause.</summary>
    public const string Count = "Deferred-Count";

    /// <summary>
    /// Header: when it was deferred for the first time since its last attempt, in milliseconds since 1970.
    /// </summary>
    public const string Since = OutboxTable.DeferredSinceHeader;

    /// <summary>
    /// Header: when it was deferred or redelivered for the first time since it was published or redriven, in
    /// milliseconds since 1970. The outbox has it as a column (<see cref="OutboxTable"/>).
    /// </summary>
    public const string First = OutboxTable.FirstDeferredHeader;

    /// <summary>
    /// Header: when the message was sent for the first time, in milliseconds since 1970: a redelivery is a new
    /// envelope.
    /// </summary>
    public const string Sent = "Deferred-Sent";

    /// <summary>Header: the class the message had at its first attempt.</summary>
    public const string Class = "Deferred-Class";

    private const string Prefix = "Deferred-";

    // The end of the year 9999, in milliseconds since 1970.
    private const long LastTime = 253_402_300_799_999;

    /// <summary>Whether a header is one of these.</summary>
    public static bool IsHeader(string name) => name.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase);

    /// <summary>How often in a row the message was deferred for a cause.</summary>
    public static int CountOf(ConsumeContext context, DeferralCause cause) =>
        CauseOf(context) == NameOf(cause) ? (int)Math.Clamp(NumberIn(context, Count) ?? 0, 0, 1000) : 0;

    /// <summary>
    /// The class in which whatever follows from the message is sent: the one it had at its first attempt.
    /// </summary>
    public static short? ClassOf(ConsumeContext context) =>
        NumberIn(context, Class) is { } original and > 0 and < 10
            ? (short)original
            : SendContextRow.PriorityOf(context);

    /// <summary>
    /// When the message was deferred for the first time since its last attempt; null when it was not.
    /// </summary>
    public static DateTimeOffset? SinceOf(ConsumeContext context) =>
        CauseOf(context) is { } last && last != NameOf(DeferralCause.Redelivery) ? TimeIn(context, Since) : null;

    /// <summary>
    /// When the message was sent, at the first time; null for a foreign message that does not say so, or names a time
    /// that cannot be.
    /// </summary>
    public static DateTimeOffset? SentOf(ConsumeContext context) =>
        Plausible(TimeIn(context, Sent), DatabaseClock.UtcNow)
        ?? Plausible(
            context.SentTime is { } sent ? new DateTimeOffset(sent.ToUniversalTime(), TimeSpan.Zero) : null,
            DatabaseClock.UtcNow
        );

    /// <summary>
    /// A time that a message may have been sent at: from 1970 to a day from now, for clocks that are ahead. Year 1 is
    /// what .NET writes for "not set"; the database would store it as -infinity.
    /// </summary>
    internal static DateTimeOffset? Plausible(DateTimeOffset? sent, DateTimeOffset now) =>
        sent >= DateTimeOffset.UnixEpoch && sent <= now.AddDays(1) ? sent : null;

    /// <summary>The headers that a message keeps over all its deferrals and redeliveries.</summary>
    public static IEnumerable<KeyValuePair<string, object?>> KeptNotes(ConsumeContext context)
    {
        yield return new(First, (TimeIn(context, First) ?? DatabaseClock.UtcNow).ToUnixTimeMilliseconds());
        if (SentOf(context) is { } sent)
            yield return new(Sent, sent.ToUnixTimeMilliseconds());
    }

    /// <summary>The headers of a message that is deferred.</summary>
    public static IEnumerable<KeyValuePair<string, object?>> Notes(ConsumeContext context, DeferralCause cause) =>
        [
            new(Cause, NameOf(cause)),
            new(Count, CountOf(context, cause) + 1),
            new(Since, (SinceOf(context) ?? DatabaseClock.UtcNow).ToUnixTimeMilliseconds()),
            .. KeptNotes(context),
        ];

    /// <summary>The header that keeps the class at the first attempt, of a message that goes on in another.</summary>
    public static KeyValuePair<string, object?> ClassNote(ConsumeContext context) =>
        new(Class, (long)(ClassOf(context) ?? PriorityBatcher.Normal));

    /// <summary>
    /// A retry, or what its step has put off, stands behind first attempts: one class lower, and no further however
    /// often it comes.
    /// </summary>
    /// <param name="original">The class at the first attempt; null for the broker's normal, 4.</param>
    public static short? Behind(short? original) =>
        original switch
        {
            null or 4 => 3,
            7 => 6,
            _ => original,
        };

    private static string? CauseOf(ConsumeContext context) =>
        context.ReceiveContext.TransportHeaders.TryGetHeader(Cause, out var value) ? value as string : null;

    private static DateTimeOffset? TimeIn(ConsumeContext context, string name) =>
        NumberIn(context, name) is { } time and > 0 and <= LastTime
            ? DateTimeOffset.FromUnixTimeMilliseconds(time)
            : null;

    // Whatever stands there: a header that is no number is none of ours.
    private static long? NumberIn(ConsumeContext context, string name) =>
        context.ReceiveContext.TransportHeaders.TryGetHeader(name, out var value)
            ? value switch
            {
                long number => number,
                int number => number,
                short number => number,
                byte number => number,
                string text when long.TryParse(text, CultureInfo.InvariantCulture, out var number) => number,
                _ => null,
            }
            : null;

    /// <summary>The cause in headers and metrics.</summary>
    public static string NameOf(DeferralCause cause) =>
        cause switch
        {
            DeferralCause.Breaker => "breaker",
            DeferralCause.RetryBudget => "retry-budget",
            DeferralCause.RateLimit => "rate-limit",
            DeferralCause.Closed => "closed",
            DeferralCause.Database => "database",
            DeferralCause.EffectInProgress => "effect-in-progress",
            DeferralCause.Delay => "delay",
            DeferralCause.Redelivery => "redelivery",
            _ => throw new ArgumentOutOfRangeException(nameof(cause), cause, "Expected a known cause of a deferral."),
        };
}
