namespace Orders.Producer.Api.Validation;

/// <summary>The body cannot be read on: what follows has no meaning any more.</summary>
internal sealed class MalformedBodyException(string reason) : Exception(reason);
