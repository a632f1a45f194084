using System.Security.Authentication;

namespace QueueWorkers.Tls;

/// <summary>
/// A server showed a certificate that is not trusted, and was sent nothing. The message is a sentence for the operator:
/// what was expected, what was found and what to change.
/// </summary>
/// <param name="message">That sentence.</param>
public sealed class UntrustedServerException(string message) : AuthenticationException(message);
