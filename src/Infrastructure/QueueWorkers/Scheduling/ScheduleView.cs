using System.Text.Json.Nodes;
using QueueWorkers.Scheduling.Firings;

namespace QueueWorkers.Scheduling;

/// <summary>A schedule as an operator sees it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Cron">When.</param>
/// <param name="TimeZone">In which zone.</param>
/// <param name="Misfire">What becomes of missed firings.</param>
/// <param name="Active">False when this version does not have it any more.</param>
/// <param name="Paused">Whether an operator has stopped it.</param>
/// <param name="Customised">Whether an operator has changed it; deployments leave it as it is.</param>
/// <param name="NextDueAt">When it fires next; null while it does not.</param>
/// <param name="Last">The firing that ended last; null before the first.</param>
/// <param name="Misfires">Missed firings left out so far.</param>
/// <param name="Running">Whether a firing is being worked on, or waits.</param>
/// <param name="Kind">The kind of a schedule that an operator has created; null for one of the code.</param>
/// <param name="UnusableBecause">Why it cannot fire in this version; null when it can.</param>
/// <param name="Revision">Another one after each change of it.</param>
/// <param name="Payload">The values of the kind's fields; null for a schedule of the code.</param>
public sealed record ScheduleView(
    string Name,
    string Cron,
    string TimeZone,
    Misfire Misfire,
    bool Active,
    bool Paused,
    bool Customised,
    DateTimeOffset? NextDueAt,
    FiringView? Last,
    long Misfires,
    bool Running,
    string? Kind,
    string? UnusableBecause,
    Guid Revision,
    JsonObject? Payload
);

/// <summary>A firing as an operator sees it.</summary>
/// <param name="DueAt">When it was due.</param>
/// <param name="Status">Where it stands.</param>
/// <param name="RequestedBy">Who asked for it; null for a firing by the clock.</param>
/// <param name="Attempts">How often it was begun.</param>
/// <param name="Host">Where it ran.</param>
/// <param name="StartedAt">When it was begun.</param>
/// <param name="FinishedAt">When it ended.</param>
/// <param name="Duration">How long it took.</param>
/// <param name="Result">What it said.</param>
public sealed record FiringView(
    DateTimeOffset DueAt,
    FiringStatus Status,
    string? RequestedBy,
    int Attempts,
    string? Host,
    DateTimeOffset? StartedAt,
    DateTimeOffset? FinishedAt,
    TimeSpan? Duration,
    string? Result
);
