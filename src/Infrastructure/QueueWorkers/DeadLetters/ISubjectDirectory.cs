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
    /// The subjects of an owner, such as a customer by the beginning of the mail address; at most so many.
    /// </summary>
    Task<IReadOnlyList<Guid>> OfOwnerAsync(string owner, int limit, CancellationToken cancellationToken);

    /// <summary>
    /// Why work on these subjects would be pointless now, such as "cancelled on 3 May"; only those that have a reason.
    /// </summary>
    Task<IReadOnlyDictionary<Guid, string>> ReasonsNotToWorkOnAsync(
        IReadOnlyCollection<Guid> subjects,
        CancellationToken cancellationToken
    );
}
