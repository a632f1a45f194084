using System.Text.Json.Nodes;
using QueueWorkers.DeadLetters.Search;

namespace QueueWorkers.Redrive;

/// <summary>What an operator asks for.</summary>
public sealed record RedriveRequest
{
    /// <summary>Most messages of one redrive.</summary>
    public const int MostMessages = 100_000;

    /// <summary>Which failures; not an empty filter.</summary>
    public required FailureFilter Filter { get; init; }

    /// <summary>Why.</summary>
    public required string Reason { get; init; }

    /// <summary>How many are sent first. Default: 10.</summary>
    public int Canary { get; init; } = 10;

    /// <summary>How many a second are sent after that. Default: 50.</summary>
    public int RatePerSecond { get; init; } = 50;

    /// <summary>At which share of messages that failed again it stops by itself, in per cent. Default: 20.</summary>
    public int StopPercent { get; init; } = 20;

    /// <summary>
    /// How many messages the operator has seen; the redrive is refused when it would be more or less. Null when nobody
    /// has looked.
    /// </summary>
    public int? Expect { get; init; }

    /// <summary>A patch (RFC 6902) to apply to each payload; null to send them as they are.</summary>
    public JsonArray? Patch { get; init; }

    /// <summary>Whether to begin at once; otherwise it waits in the stage DryRun.</summary>
    public bool Start { get; init; }

    /// <summary>What is wrong with it; null when nothing is.</summary>
    public string? Problem() =>
        Filter.IsEmpty ? "filter must not be empty: it would redrive everything that is dead-lettered; say which ones."
        : string.IsNullOrWhiteSpace(Reason) ? "reason must say why."
        : Canary is < 0 or > 1000 ? $"canary must be 0–1000, got {Canary}."
        : RatePerSecond is < 1 or > 1000 ? $"ratePerSecond must be 1–1000, got {RatePerSecond}."
        : StopPercent is < 1 or > 100 ? $"stopPercent must be 1–100, got {StopPercent}."
        : null;
}

/// <summary>Why a redrive was not made.</summary>
/// <param name="Code">A stable code: <c>empty</c>, <c>outstanding</c>, <c>count-changed</c>, <c>too-many</c>,
/// <c>not-open</c>.</param>
/// <param name="Detail">For people.</param>
/// <param name="Other">The redrive that is in the way.</param>
public sealed record RedriveRefusal(string Code, string Detail, Guid? Other = null);

/// <summary>A redrive and what has come of its messages; the five counts add up to the total.</summary>
public sealed record RedriveProgress(
    RedriveRecord Redrive,
    int Waiting,
    int Sent,
    int Done,
    int FailedAgain,
    int Skipped
);
