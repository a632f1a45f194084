namespace QueueWorkers.DeadLetters.Search;

/// <summary>The failures of one cause beside a failure.</summary>
/// <param name="Newer">The one before it on a page; null when it is the newest.</param>
/// <param name="Older">The one after it; null when it is the oldest.</param>
public sealed record SimilarFailures(Guid? Newer, Guid? Older);
