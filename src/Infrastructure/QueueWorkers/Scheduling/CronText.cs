using Cronos;
using QueueWorkers.Clocks;

namespace QueueWorkers.Scheduling;

/// <summary>
/// A cron text and the time zone it is meant in. Daylight saving follows Cronos: an hour that is missing fires at its
/// end, one that comes twice fires once.
/// </summary>
public sealed class CronText
{
    private readonly CronExpression _cron;
    private readonly TimeZoneInfo _zone;

    private CronText(CronExpression cron, TimeZoneInfo zone) => (_cron, _zone) = (cron, zone);

    /// <summary>Reads a text of five fields, or of six with seconds first, or a macro such as <c>@daily</c>.</summary>
    /// <param name="cron">The text.</param>
    /// <param name="timeZone">An IANA name, such as <c>Europe/Berlin</c>.</param>
    /// <exception cref="FormatException">The text or the zone cannot be used, or the text names no moment that comes;
    /// the message says what was expected and found.</exception>
    public static CronText Parse(string cron, string timeZone)
    {
        if (!TimeZoneInfo.TryFindSystemTimeZoneById(timeZone, out var zone))
            throw new FormatException(
                $"Expected a time zone such as UTC or Europe/Berlin, got '{timeZone}', which this machine does not know; correct it, or install the package tzdata."
            );
        var fields = cron.Split(' ', StringSplitOptions.RemoveEmptyEntries).Length;
        if (
            !CronExpression.TryParse(
                cron,
                fields == 6 ? CronFormat.IncludeSeconds : CronFormat.Standard,
                out var parsed
            )
        )
            throw new FormatException(
                $"Expected a cron text of five fields, or six with seconds first, such as '0 6 * * *', got '{cron}'."
            );
        var text = new CronText(parsed, zone);
        return text.After(DatabaseClock.UtcNow) is not null
            ? text
            : throw new FormatException(
                $"Expected a cron text that fires some day, got '{cron}', whose day and month never come together, such as 30 February; correct one of them."
            );
    }

    /// <summary>The first moment after another; null when there is none.</summary>
    public DateTimeOffset? After(DateTimeOffset moment) => Next(moment, inclusive: false);

    /// <summary>The first moment at or after another; null when there is none.</summary>
    public DateTimeOffset? From(DateTimeOffset moment) => Next(moment, inclusive: true);

    private DateTimeOffset? Next(DateTimeOffset moment, bool inclusive) =>
        _cron.GetNextOccurrence(moment.UtcDateTime, _zone, inclusive) is { } next ? new DateTimeOffset(next) : null;
}
