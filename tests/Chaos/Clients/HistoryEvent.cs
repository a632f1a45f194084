using System.Text.Json.Serialization;
using Orders.Chaos.Checking;

namespace Orders.Chaos.Clients;

/// <summary>One line of the client's history: a request that was begun, or what came of it.</summary>
/// <param name="At">When.</param>
/// <param name="Event"><c>invoked</c>, <c>ok</c> (2xx), <c>failed</c> (4xx: certainly not stored) or <c>unknown</c> (no
/// answer, 5xx, 429).</param>
/// <param name="Key">The Idempotency-Key.</param>
/// <param name="Try">The number of the request under this key, from 1.</param>
/// <param name="Address">The mail address; in the first line of a key.</param>
/// <param name="Lines">What was ordered; in the first line of a key.</param>
/// <param name="Status">The answer's status; null when there was none.</param>
/// <param name="OrderId">The id in the answer.</param>
/// <param name="Milliseconds">How long the answer took.</param>
/// <param name="Fault">Why there was no answer.</param>
[method: JsonConstructor]
public sealed record HistoryEvent(
    DateTimeOffset At,
    string Event,
    string Key,
    int Try,
    string? Address = null,
    IReadOnlyList<Line>? Lines = null,
    int? Status = null,
    Guid? OrderId = null,
    double? Milliseconds = null,
    string? Fault = null
)
{
    public const string Invoked = "invoked";
    public const string Ok = "ok";
    public const string Failed = "failed";
    public const string Unknown = "unknown";
}
