namespace QueueWorkers.Redrive.Payloads;

/// <summary>
/// A message that cannot be sent again as it is; the message of the exception says what was expected and what was
/// found.
/// </summary>
public sealed class InvalidPayloadException(string message) : Exception(message);
