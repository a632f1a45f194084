using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace QueueWorkers.Redrive.Planning;

/// <summary>What a redrive would do: nothing was changed to find out.</summary>
/// <param name="Total">Messages that match.</param>
/// <param name="ToSend">Messages that would be sent.</param>
/// <param name="AlreadyDone">Messages whose work is done: their failures would be closed without sending
/// anything.</param>
/// <param name="Pointless">Messages whose subject or step was cancelled meanwhile, or whose effect is uncertain; they
/// would be skipped.</param>
/// <param name="Invalid">Messages that do not fit the running contract, or the patch; they would be skipped.</param>
/// <param name="Outstanding">Messages that another redrive has; they are in the way.</param>
/// <param name="Targets">Where the messages would go.</param>
/// <param name="SecondsAtRate">How long the sending would take.</param>
/// <param name="Problems">The first messages that would be skipped, and why.</param>
/// <param name="Diffs">With a patch: what would change in the first messages.</param>
public sealed record RedrivePlan(
    int Total,
    int ToSend,
    int AlreadyDone,
    int Pointless,
    int Invalid,
    int Outstanding,
    IReadOnlyList<RedriveTarget> Targets,
    double SecondsAtRate,
    IReadOnlyList<PlannedSkip> Problems,
    IReadOnlyList<PlannedDiff> Diffs
);

/// <summary>Where messages of a redrive go.</summary>
/// <param name="Step">The step; null when they go to the exchange of their type.</param>
/// <param name="Messages">How many: the backlog that is added.</param>
/// <param name="Backlog">How many wait there now; null when the broker cannot be asked.</param>
/// <param name="Consumers">How many consumers there are; null when the broker cannot be asked.</param>
/// <param name="Healthy">Whether somebody works there: there are consumers, the step is not paused, and what it depends
/// on is not down.</param>
/// <param name="Note">Why not.</param>
public sealed record RedriveTarget(
    string? Step,
    int Messages,
    long? Backlog,
    long? Consumers,
    bool Healthy,
    string? Note
);

/// <summary>A message that would be skipped.</summary>
public sealed record PlannedSkip(Guid FailureId, string Reason);

/// <summary>What a patch would change in a message.</summary>
/// <param name="FailureId">The failure.</param>
/// <param name="MessageType">The message's type, which says what of it is personal.</param>
/// <param name="Diff">The differences.</param>
public sealed record PlannedDiff(Guid FailureId, string? MessageType, JsonNode? Diff)
{
    /// <summary>The payload before the patch, for whoever masks the differences; never shown.</summary>
    [JsonIgnore]
    public JsonNode? Before { get; init; }
}
