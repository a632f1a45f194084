using System.Text.Json.Serialization;

namespace QueueWorkers.DeadLetters.Search;

/// <summary>Which failures. All members that are given must hold.</summary>
public sealed record FailureFilter
{
    /// <summary>These, by their ids.</summary>
    public IReadOnlyList<Guid>? Ids { get; init; }

    /// <summary>In this state; null means Failed.</summary>
    public FailureState? State { get; init; }

    /// <summary>Of this step.</summary>
    public string? Step { get; init; }

    /// <summary>In this queue.</summary>
    public string? Queue { get; init; }

    /// <summary>Whose exception type is this, with or without its namespace.</summary>
    public string? Fault { get; init; }

    /// <summary>Of this group: a fingerprint.</summary>
    public string? Group { get; init; }

    /// <summary>Of this message type, with or without its namespace.</summary>
    public string? Type { get; init; }

    /// <summary>About this subject: its id, or a number that <see cref="ISubjectDirectory.FindAsync"/> knows.</summary>
    public string? Subject { get; init; }

    /// <summary>
    /// About subjects of this owner, as <see cref="ISubjectDirectory.OfOwnerAsync"/> understands the text.
    /// </summary>
    public string? Owner { get; init; }

    /// <summary>Given up by this version.</summary>
    public string? Build { get; init; }

    /// <summary>Dead-lettered, for the first time in this generation, at or after this moment.</summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>Dead-lettered before this moment.</summary>
    public DateTimeOffset? To { get; init; }

    /// <summary>
    /// With this text in the fault's message, at least three characters; see also <see cref="InMaskedPayloads"/>.
    /// </summary>
    public string? Text { get; init; }

    /// <summary>
    /// With this value at this path of the payload, such as <c>warehouse.city=Hamburg</c>: in messages whose type shows
    /// the value at that path to everybody; see also <see cref="InMaskedPayloads"/>.
    /// </summary>
    public string? Path { get; init; }

    /// <summary>
    /// Whether <see cref="Text"/> and <see cref="Path"/> also look at what is masked. Never read from a request: whoever
    /// sets it has asked for the right to see it and has written that down.
    /// </summary>
    [JsonIgnore]
    public bool InMaskedPayloads { get; init; }

    /// <summary>
    /// Whether it would select everything that is dead-lettered: refused wherever something is changed.
    /// </summary>
    [JsonIgnore]
    public bool IsEmpty => this with { State = null } == new FailureFilter() || Ids is { Count: 0 };
}
