using System.Text.Json.Nodes;
using QueueWorkers.Clocks;

namespace QueueWorkers.Scheduling.Changeable;

/// <summary>A schedule as an operator wants it.</summary>
/// <param name="Cron">When.</param>
/// <param name="TimeZone">In which zone, an IANA name.</param>
/// <param name="Misfire">What becomes of missed firings.</param>
/// <param name="Payload">The values of the kind's fields; null for none.</param>
public sealed record ScheduleDraft(string Cron, string TimeZone, Misfire Misfire, JsonObject? Payload)
{
    // A cron text of five fields or six is far shorter; nobody reads more of it.
    private const int LongestCron = 200;

    /// <summary>Checks all of it, so that an operator sees every problem at once.</summary>
    /// <param name="kind">What it has to fit.</param>
    /// <param name="problems">What does not fit is added here.</param>
    /// <returns>When it fires and with what; null when cron text or zone cannot be used.</returns>
    public (CronText? Cron, SchedulePayload Payload) Check(ScheduleKind kind, ICollection<ScheduleProblem> problems)
    {
        var cron = CheckCron(Cron, TimeZone, kind.SmallestInterval, problems);
        if (!Enum.IsDefined(Misfire))
            problems.Add(
                new ScheduleProblem(
                    "misfire",
                    $"Expected one of {string.Join(", ", Enum.GetNames<Misfire>())}, found {Misfire:D}."
                )
            );
        return (cron, SchedulePayload.Read(kind, Payload, problems));
    }

    /// <summary>Checks cron text and zone.</summary>
    /// <param name="text">The cron text.</param>
    /// <param name="timeZone">The zone.</param>
    /// <param name="smallestInterval">The shortest time between two firings; null for any.</param>
    /// <param name="problems">What does not fit is added here.</param>
    /// <returns>Null when it cannot be used.</returns>
    public static CronText? CheckCron(
        string text,
        string timeZone,
        TimeSpan? smallestInterval,
        ICollection<ScheduleProblem> problems
    )
    {
        if (text.Length > LongestCron)
        {
            problems.Add(
                new ScheduleProblem("cron", $"Expected at most {LongestCron} characters, found {text.Length}.")
            );
            return null;
        }

        var zoneProblem = CronText.ProblemOfZone(timeZone);
        if (zoneProblem is not null)
            problems.Add(new ScheduleProblem("timeZone", zoneProblem));
        CronText cron;
        try
        {
            cron = CronText.Parse(text, zoneProblem is null ? timeZone : "UTC");
        }
        catch (FormatException unusable)
        {
            problems.Add(new ScheduleProblem("cron", unusable.Message));
            return null;
        }

        if (smallestInterval is { } smallest && cron.IntervalBelow(smallest, DatabaseClock.UtcNow) is { } interval)
            problems.Add(
                new ScheduleProblem(
                    "cron",
                    $"Expected at least {smallest} between two firings, found {interval} in '{text}'. Let it fire less often."
                )
            );
        return zoneProblem is null ? cron : null;
    }
}
