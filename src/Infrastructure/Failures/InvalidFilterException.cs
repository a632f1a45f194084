namespace Orders.Infrastructure.Failures;

/// <summary>A filter that cannot be used; the message says what was expected.</summary>
public sealed class InvalidFilterException(string message) : Exception(message);
