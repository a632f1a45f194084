using System.Text.Json;

namespace QueueWorkers.Bulk;

/// <summary>What a rehearsal found, besides the targets.</summary>
/// <param name="Matched">How many match the filter.</param>
/// <param name="Untouched">Those of them that will not be touched, by reason.</param>
/// <param name="Outside">What follows outside and elsewhere, in sentences.</param>
public sealed record BulkRehearsal(long Matched, IReadOnlyList<BulkUntouched> Untouched, IReadOnlyList<string> Outside)
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    /// <summary>Reads it from its row.</summary>
    public static BulkRehearsal Parse(string json)
    {
        var found = JsonSerializer.Deserialize<BulkRehearsal>(json, Json);
        return new BulkRehearsal(found?.Matched ?? 0, found?.Untouched ?? [], found?.Outside ?? []);
    }

    /// <summary>How it stands in its row.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, Json);
}

/// <summary>Matching targets that are left alone.</summary>
/// <param name="Reason">Why, as the rest of a sentence: "is completed".</param>
/// <param name="Count">How many.</param>
public sealed record BulkUntouched(string Reason, long Count);

/// <summary>What to rehearse.</summary>
/// <param name="Kind">What to do, see <see cref="IBulkKind.Name"/>.</param>
/// <param name="Step">The step that it is about; null when the kind needs none.</param>
/// <param name="Filter">Which targets, in the terms of the kind (JSON).</param>
/// <param name="PerSecond">At most so many targets a second; null for the kind's own rate.</param>
/// <param name="IdempotencyKey">The client's key; the same request again answers with the same bulk action.</param>
public sealed record BulkRequest(
    string Kind,
    string? Step,
    string Filter,
    int? PerSecond = null,
    string? IdempotencyKey = null
)
{
    /// <summary>The most targets of one bulk action.</summary>
    public const int MostTargets = 100_000;

    /// <summary>The highest rate.</summary>
    public const int MostPerSecond = 1000;
}

/// <summary>A bulk action cannot be made or changed.</summary>
/// <param name="code">A stable code: <c>unknown-kind</c>, <c>invalid-step</c>, <c>too-many</c>, <c>too-slow</c>,
/// <c>nothing-matches</c>, <c>count-changed</c>, <c>not-open</c>, <c>idempotency-key-reused</c>.</param>
/// <param name="message">What was expected and what was found.</param>
public sealed class BulkRefusedException(string code, string message) : Exception(message)
{
    /// <summary>The stable code.</summary>
    public string Code { get; } = code;
}
