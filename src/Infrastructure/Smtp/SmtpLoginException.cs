namespace Orders.Smtp;

/// <summary>
/// What the login needs could not be had: a file, a token. It concerns every mail, and no mail has begun.
/// </summary>
public sealed class SmtpLoginException(string message, Exception? innerException = null)
    : Exception(message, innerException);

/// <summary>The server's certificate is not trusted. It concerns every mail, and no mail has begun.</summary>
public sealed class SmtpCertificateException(string message, Exception innerException)
    : Exception(message, innerException);
