using Cronos;
using QueueWorkers.Clocks;
using QueueWorkers.Hosting;

namespace QueueWorkers.Scheduling;

/// <summary>
/// A cron text and the time zone it is meant in. Daylight saving follows Cronos: an hour that is missing fires at its
/// end, one that comes twice fires once.
/// </summary>
public sealed class CronText
{
    // Every minute for two days, every day for two years: the distances of a cron text repeat sooner.
    private const int MostCompared = 3000;
    private const int LongestZone = 60;
    private static readonly TimeSpan LongestCompared = TimeSpan.FromDays(731);

    private readonly CronExpression _cron;

    private CronText(CronExpression cron, TimeZoneInfo zone) => (_cron, Zone) = (cron, zone);

    /// <summary>The zone.</summary>
    public TimeZoneInfo Zone { get; }

    /// <summary>Reads a text of five fields, or of six with seconds first, or a macro such as <c>@daily</c>.</summary>
    /// <param name="cron">The text.</param>
    /// <param name="timeZone">An IANA name, such as <c>Europe/Berlin</c>.</param>
    /// <exception cref="FormatException">The text or the zone cannot be used, or the text names no moment that comes;
    /// the message says what was expected and found.</exception>
    public static CronText Parse(string cron, string timeZone)
    {
        if (!TimeZoneInfo.TryFindSystemTimeZoneById(timeZone, out var zone))
            throw new FormatException(UnknownZone(timeZone));
        var fields = cron.Split(' ', StringSplitOptions.RemoveEmptyEntries).Length;
        CronExpression parsed;
        try
        {
            parsed = CronExpression.Parse(cron, fields == 6 ? CronFormat.IncludeSeconds : CronFormat.Standard);
        }
        catch (CronFormatException malformed)
        {
            throw new FormatException(
                $"Expected a cron text of five fields, or six with seconds first, such as '0 6 * * *', got '{cron}'. {malformed.Message}",
                malformed
            );
        }

        var text = new CronText(parsed, zone);
        return text.After(DatabaseClock.UtcNow) is not null
            ? text
            : throw new FormatException(
                $"Expected a cron text that fires some day, got '{cron}', whose day and month never come together, such as 30 February; correct one of them."
            );
    }

    /// <summary>Why a time zone cannot be used, with one that is meant perhaps; null when it can.</summary>
    public static string? ProblemOfZone(string timeZone) =>
        TimeZoneInfo.TryFindSystemTimeZoneById(timeZone, out _)
            ? null
            : UnknownZone(timeZone)
                + (
                    timeZone.Length is > 0 and <= LongestZone
                    && EditDistance.Suggest(timeZone, [.. TimeZoneInfo.GetSystemTimeZones().Select(z => z.Id)])
                        is { Length: > 0 } suggestion
                        ? $" Found nothing of this name{suggestion}"
                        : ""
                );

    /// <summary>
    /// A time between two firings that is shorter than allowed, by the clock on the wall: changes of the clocks do not
    /// count. Looks at the firings of two years, at most 3,000.
    /// </summary>
    /// <returns>Null when each is long enough.</returns>
    public TimeSpan? IntervalBelow(TimeSpan smallest, DateTimeOffset from)
    {
        var end = from.UtcDateTime + LongestCompared;
        var compared = 0;
        for (
            var at = _cron.GetNextOccurrence(from.UtcDateTime, TimeZoneInfo.Utc);
            at is { } moment && moment < end && compared < MostCompared;
            compared++
        )
        {
            at = _cron.GetNextOccurrence(moment, TimeZoneInfo.Utc);
            if (at - moment is { } interval && interval < smallest)
                return interval;
        }

        return null;
    }

    /// <summary>
    /// Whether the text names the time that the zone's clocks show at a moment. It does not when the moment is the end
    /// of an hour that the clocks skip.
    /// </summary>
    internal bool Names(DateTimeOffset at)
    {
        var shown = DateTime.SpecifyKind(at.DateTime, DateTimeKind.Utc);
        return _cron.GetNextOccurrence(shown, TimeZoneInfo.Utc, inclusive: true) == shown;
    }

    /// <summary>The first moment after another; null when there is none.</summary>
    public DateTimeOffset? After(DateTimeOffset moment) => Next(moment, inclusive: false);

    /// <summary>The first moment at or after another; null when there is none.</summary>
    public DateTimeOffset? From(DateTimeOffset moment) => Next(moment, inclusive: true);

    private DateTimeOffset? Next(DateTimeOffset moment, bool inclusive) =>
        _cron.GetNextOccurrence(moment.UtcDateTime, Zone, inclusive) is { } next ? new DateTimeOffset(next) : null;

    private static string UnknownZone(string timeZone) =>
        $"Expected a time zone such as UTC or Europe/Berlin, got '{(timeZone.Length <= LongestZone ? timeZone : $"{timeZone[..LongestZone]}…")}', which this machine does not know; correct it, or install the package tzdata.";
}
