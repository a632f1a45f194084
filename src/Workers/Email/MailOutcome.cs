namespace Orders.Workers.Email;

/// <summary>What is known after a mail was handed to the server. A mail that was certainly not accepted is an exception instead.</summary>
public enum MailOutcome
{
    /// <summary>The server said 250.</summary>
    Accepted,

    /// <summary>The connection was lost, or the time was up, between the final dot and the server's reply: nobody knows.</summary>
    Unknown,
}

/// <summary>The mail was certainly not accepted, and another try may succeed: no connection, or a 4xx reply. A transient fault.</summary>
public class MailNotSentException(string message, Exception innerException) : Exception(message, innerException);

/// <summary>
/// The server refused something that is the same for every mail: our host name, the login, the sender. The mail was certainly not accepted.
/// The server is down or misconfigured for everybody: no attempt is consumed, and the breaker opens at once.
/// </summary>
public sealed class MailServerRefusedException(string message, Exception innerException) : MailNotSentException(message, innerException);

/// <summary>The server refused one recipient for now (greylisting, full mailbox). The mail was certainly not accepted. A transient fault of this mail, which says nothing about the server.</summary>
public sealed class RecipientDeferredException(string message, Exception innerException) : Exception(message, innerException);

/// <summary>The server's reply was lost, and it does not list the mail as accepted; the claim stays, and the question is asked again when its lease has ended. A transient fault.</summary>
public sealed class MailOutcomeUnknownException(string messageId)
    : Exception(
        $"The connection was lost between the mail's last byte and the server's reply, and Email:ReceiptsUrl does not know mail {messageId} (yet). " +
        "It is asked again after the lease, and only then is the mail sent again.");
