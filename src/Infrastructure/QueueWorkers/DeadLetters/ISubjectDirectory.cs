using QueueWorkers.DeadLetters.Search;

namespace QueueWorkers.DeadLetters;

/// <summary>
/// What the application knows of the subjects of messages; implemented once, so that the framework need not know what a
/// subject is.
/// </summary>
public interface ISubjectDirectory
{
    /// <summary>The subject of a number or an id that people use; null when there is none.</summary>
    Task<Guid?> FindAsync(string numberOrId, CancellationToken cancellationToken);

    /// <summary>
    /// The subjects of an owner, such as a customer by the whole mail address; at most so many. Never by a part of what
    /// is personal: whoever may search could read it letter by letter.
    /// </summary>
    /// <exception cref="InvalidFilterException">The text is no whole name of an owner.</exception>
    Task<IReadOnlyList<Guid>> OfOwnerAsync(string owner, int limit, CancellationToken cancellationToken);

    /// <summary>
    /// The message types whose payloads show the single value at a path to everybody who sees failures: it is neither
    /// personal nor unknown.
    /// </summary>
    /// <param name="path">The names of the members, from the root on.</param>
    IReadOnlyCollection<string> TypesShowing(IReadOnlyList<string> path);

    /// <summary>
    /// Why work on these subjects would be pointless now, such as "cancelled on 3 May"; only those that have a reason.
    /// </summary>
    Task<IReadOnlyDictionary<Guid, string>> ReasonsNotToWorkOnAsync(
        IReadOnlyCollection<Guid> subjects,
        CancellationToken cancellationToken
    );
}
