using System.Net.Sockets;
using System.Text.RegularExpressions;
using MailKit;
using MailKit.Net.Smtp;
using MimeKit;
using QueueWorkers.Steps;

namespace Orders.Workers.Email;

/// <summary>Hands a mail to the server and tells what is known afterwards: accepted, certainly not, or nobody knows.</summary>
public sealed partial class Mailer(SmtpPool pool, EmailOptions options)
{
    /// <summary>Sends a mail within <see cref="EmailOptions.SendTimeout"/>.</summary>
    /// <exception cref="MailNotSentException">Certainly not accepted; try again later.</exception>
    /// <exception cref="PermanentFaultException">Refused for good (5xx).</exception>
    internal async Task<MailOutcome> SendAsync(MimeMessage message, SmtpTransferMonitor handover)
    {
        // Only the time limit cancels: a shutdown that cut a mail off after its last byte would leave an open question for the sake of a second.
        using var limit = new CancellationTokenSource(options.SendTimeout);
        while (true)
        {
            var connection = await TakeAsync(limit.Token);
            Exception? fault = null;
            try
            {
                await connection.SendAsync(message, handover, limit.Token);
                return MailOutcome.Accepted;
            }
#pragma warning disable CA1031 // Every kind of failure is given its meaning below.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                fault = exception;
            }
            finally
            {
                await pool.GiveBackAsync(connection, isBroken: fault is not (null or SmtpCommandException));
            }

            if (fault is SmtpCommandException reply && !IsGoodbye(reply))
                throw Refused(reply);
            if (handover.IsComplete)
                return fault is SmtpCommandException goodbye ? throw Refused(goodbye) : MailOutcome.Unknown;
            // A pooled connection that the server had closed: this mail has not begun, and another connection is no second attempt.
            if (connection.IsReused && fault is not OperationCanceledException)
                continue;
            throw NotSent(fault);
        }
    }

    private async Task<SmtpConnection> TakeAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await pool.TakeAsync(cancellationToken);
        }
        catch (Exception exception) when (exception is IOException or SocketException or OperationCanceledException or CommandException or ProtocolException
            or MailKit.Security.AuthenticationException or MailKit.Security.SslHandshakeException or NotSupportedException or TimeoutException)
        {
            throw NotSent(exception);
        }
    }

    // 421: the server closes the session, for reasons of its own.
    private static bool IsGoodbye(SmtpCommandException reply) => reply.StatusCode == SmtpStatusCode.ServiceNotAvailable;

    private static Exception Refused(SmtpCommandException reply) => (int)reply.StatusCode >= 500
        ? new PermanentFaultException($"The mail server refused the mail for good: {(int)reply.StatusCode} {Printable(reply.Message)}. Correct the address or the server's rules, then redrive.", reply)
        : new MailNotSentException($"The mail server refused the mail for now: {(int)reply.StatusCode} {Printable(reply.Message)}.", reply);

    private MailNotSentException NotSent(Exception fault) => new(
        fault is OperationCanceledException
            ? $"The mail server {options.Smtp.Host}:{options.Smtp.Port} did not take the mail within Email:SendTimeout of {options.SendTimeout.TotalSeconds:0.#} s."
            : $"The mail server {options.Smtp.Host}:{options.Smtp.Port} could not be reached or broke off before the mail was complete: {Printable(fault.Message)}",
        fault);

    /// <summary>A server's words made fit for logs and pages: no control characters, no mail addresses, no end of them.</summary>
    private static string Printable(string reply)
    {
        var text = AddressPattern().Replace(ControlPattern().Replace(reply, " "), "<address>").Trim();
        return text.Length <= 200 ? text : text[..200];
    }

    [GeneratedRegex(@"\p{C}+")]
    private static partial Regex ControlPattern();

    [GeneratedRegex(@"<?[^\s<>:;,""]+@[^\s<>:;,""]+>?")]
    private static partial Regex AddressPattern();
}
