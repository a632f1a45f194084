using System.Text.Json.Serialization;

namespace Orders.Chaos.Clients;

/// <summary>One line of what operators did: a call to the operator API and its answer.</summary>
/// <param name="At">When the answer was there.</param>
/// <param name="Asked"><c>look</c> (the dry run), <c>redrive</c> or <c>resume</c>.</param>
/// <param name="Reason">The reason given with it.</param>
/// <param name="Status">The answer's status; null when there was none.</param>
/// <param name="Code">The last part of a problem's type, such as <c>outstanding</c>.</param>
/// <param name="Redrive">The redrive it is about.</param>
/// <param name="Total">How many messages match, or have been chosen.</param>
/// <param name="Fault">Why there was no answer.</param>
[method: JsonConstructor]
public sealed record OperatorCall(
    DateTimeOffset At,
    string Asked,
    string Reason,
    int? Status = null,
    string? Code = null,
    Guid? Redrive = null,
    int? Total = null,
    string? Fault = null
)
{
    public const string Look = "look";
    public const string Redriven = "redrive";
    public const string Resume = "resume";

    /// <summary>Whether it was answered 2xx.</summary>
    [JsonIgnore]
    public bool IsGood => Status is >= 200 and < 300;
}
