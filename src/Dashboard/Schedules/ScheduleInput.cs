using System.Text.Json.Nodes;
using QueueWorkers.Scheduling;
using QueueWorkers.Scheduling.Changeable;
using Policy = QueueWorkers.Scheduling.Misfire;

namespace Orders.Dashboard.Schedules;

/// <summary>
/// What stands in the form of a schedule. Kept as it was typed, so that what does not fit can be corrected instead of
/// being typed again.
/// </summary>
/// <param name="Name">The own name, without the kind.</param>
/// <param name="Cron">The cron text.</param>
/// <param name="TimeZone">The zone.</param>
/// <param name="Misfire">The policy.</param>
/// <param name="Fields">The payload, by field.</param>
/// <param name="Reason">Why.</param>
/// <param name="Revision">The revision that the form was made of; null for a new schedule.</param>
/// <param name="IsSaved">Whether it is to be saved, and not only looked at.</param>
public sealed record ScheduleInput(
    string Name,
    string Cron,
    string TimeZone,
    string Misfire,
    IReadOnlyDictionary<string, string> Fields,
    string Reason,
    Guid? Revision,
    bool IsSaved
)
{
    /// <summary>What the names of the payload's inputs begin with.</summary>
    public const string Prefix = "payload.";

    /// <summary>The button that saves.</summary>
    public const string Save = "save";

    /// <summary>An empty form.</summary>
    public static ScheduleInput Empty { get; } =
        new("", "", "UTC", nameof(Policy.Once), new Dictionary<string, string>(), "", null, false);

    /// <summary>The form of a schedule as it stands.</summary>
    public static ScheduleInput Of(ScheduleView schedule) =>
        new(
            schedule.Name,
            schedule.Cron,
            schedule.TimeZone,
            schedule.Misfire.ToString(),
            (schedule.Payload ?? new JsonObject()).ToDictionary(p => p.Key, p => p.Value?.ToString() ?? ""),
            "",
            schedule.Revision,
            false
        );

    /// <summary>What was sent.</summary>
    public static async Task<ScheduleInput> ReadAsync(HttpContext http)
    {
        var form = await http.Request.ReadFormAsync(http.RequestAborted);
        return new ScheduleInput(
            form["name"].ToString().Trim(),
            form["cron"].ToString().Trim(),
            form["timeZone"].ToString().Trim(),
            form["misfire"].ToString(),
            form.Where(f => f.Key.StartsWith(Prefix, StringComparison.Ordinal))
                .ToDictionary(f => f.Key[Prefix.Length..], f => f.Value.ToString().Trim()),
            form["reason"].ToString().Trim(),
            Guid.TryParse(form["revision"].ToString(), out var revision) ? revision : null,
            form["act"].ToString() == Save
        );
    }

    /// <summary>As a schedule; a policy that there is not is found as a problem later.</summary>
    public ScheduleDraft Draft()
    {
        var payload = new JsonObject();
        foreach (var (field, value) in Fields)
            payload[field] = value;
        return new ScheduleDraft(
            Cron,
            TimeZone,
            Enum.TryParse<Policy>(Misfire, out var policy) ? policy : (Policy)(-1),
            payload
        );
    }
}
