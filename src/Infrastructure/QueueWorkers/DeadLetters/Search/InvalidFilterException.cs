namespace QueueWorkers.DeadLetters.Search;

/// <summary>A filter that cannot be used; the message says what was expected.</summary>
public sealed class InvalidFilterException(string message) : Exception(message);
