namespace Orders.AppHost;

/// <summary>docker-compose.yml cannot be read, or has what the app host does not know.</summary>
/// <param name="message">What was found and what to change.</param>
internal sealed class ComposeException(string message) : Exception(message);
